"""Stories of who replaced whom."""

from __future__ import annotations

from tests.fleet import Fleet
from tests.stories import Event, born, group, health, instance, script, shown, state_change, terminated

Link = tuple[str | None, str | None, str | None]


def links(fleet: Fleet) -> dict[str, Link]:
    """Of every instance: whom it replaces, who replaced it, and how that is known."""
    items = fleet.document().instances
    return {str(i.instance_id): (i.replaces, i.replaced_by, i.lineage) for i in items if i.instance_id}


def new(instance_id: str, slot: str | None = None) -> list[Event]:
    """A replacement as its new instance tells it, in a slot."""
    events = [
        instance("ReplacementStarted", instance_id),
        instance("InstanceProvisioned", instance_id),
        script(instance_id, "Started"),
        script(instance_id, "Succeeded"),
        instance("ReplacementCompleted", instance_id, "creation"),
    ]
    return [event.slot(slot) if slot else event for event in events]


def sick(instance_id: str) -> Event:
    return health(instance_id, "Unhealthy", "Replace")


# By slot


def test_a_chain_with_a_failed_attempt(fleet: Fleet) -> None:
    fleet.sees(born("i-a", "s-1"), sick("i-a"), terminated("i-a"), new("i-b", "s-1")[:3])
    fleet.sees(instance("ReplacementFailed", "i-b", "creation").slot("s-1"), new("i-c", "s-1"))
    assert links(fleet) == {
        "i-a": (None, "i-b", None),
        "i-b": ("i-a", "i-c", "node_logical_id"),
        "i-c": ("i-b", None, "node_logical_id"),
    }


def test_an_old_instance_first_seen_by_its_end(fleet: Fleet) -> None:
    fleet.sees(instance("ReplacementStarted").slot("s-1"))
    fleet.sees([event.slot("s-1") for event in terminated("i-a") if hasattr(event, "slot")], new("i-b", "s-1")[1:])
    assert links(fleet) == {"i-a": (None, "i-b", None), "i-b": ("i-a", None, "node_logical_id")}


def test_slots_do_not_mix(fleet: Fleet) -> None:
    fleet.sees(born("i-a", "s-1"), born("i-b", "s-2"), sick("i-a"), new("i-c", "s-2"))
    assert links(fleet)["i-c"] == ("i-b", None, "node_logical_id")
    assert links(fleet)["i-a"] == (None, None, None)


# Inferred


def test_the_longest_waiting_one_is_replaced(fleet: Fleet) -> None:
    fleet.sees(born("i-a"), born("i-b"), born("i-c"), sick("i-b"), sick("i-a"), new("i-d"))
    assert links(fleet)["i-d"] == ("i-b", None, "inferred")
    fleet.sees(new("i-e"))
    assert links(fleet)["i-e"] == ("i-a", None, "inferred")
    fleet.sees(new("i-f"))
    assert links(fleet)["i-f"] == (None, None, None)


def test_two_hours_and_no_more(fleet: Fleet) -> None:
    fleet.sees(born("i-a"), sick("i-a"))
    fleet.waits(119)
    fleet.sees(new("i-b"))
    assert links(fleet)["i-b"] == ("i-a", None, "inferred")


def test_after_two_hours_it_is_another_matter(fleet: Fleet) -> None:
    fleet.sees(born("i-a"), sick("i-a"))
    fleet.waits(120)
    fleet.sees(new("i-b"))
    assert links(fleet)["i-b"] == (None, None, None)


def test_who_left_or_failed_waits_too(fleet: Fleet) -> None:
    fleet.sees(born("i-a"), born("i-b"), instance("TerminationInProgress", "i-a"))
    fleet.sees(instance("InstanceProvisioned", "i-c"), script("i-c", "Started"), script("i-c", "Failed"))
    fleet.sees(new("i-d"), new("i-e"))
    assert links(fleet)["i-d"] == ("i-a", None, "inferred")
    assert links(fleet)["i-e"] == ("i-c", None, "inferred")


def test_every_attempt_is_a_link(fleet: Fleet) -> None:
    fleet.sees(born("i-a"), sick("i-a"), new("i-b")[:3], instance("ReplacementFailed", "i-b", "creation"), new("i-c"))
    assert links(fleet)["i-b"] == ("i-a", "i-c", "inferred")
    assert links(fleet)["i-c"] == ("i-b", None, "inferred")


def test_healthy_again_is_no_longer_waiting(fleet: Fleet) -> None:
    fleet.sees(born("i-a"), sick("i-a"), health("i-a", "Healthy"), new("i-b"))
    assert links(fleet)["i-b"] == (None, None, None)


def test_rebooted_is_no_longer_waiting(fleet: Fleet) -> None:
    fleet.sees(born("i-a"), sick("i-a"), instance("RebootInProgress", "i-a"))
    fleet.sees(instance("InstanceOperationCompleted", "i-a", "reboot"), new("i-b"))
    assert links(fleet)["i-b"] == (None, None, None)


def test_the_scaled_down_are_not_replaced(fleet: Fleet) -> None:
    fleet.sees(group("GroupOperationStarted", "creation").counts(0, 2), born("i-a"), born("i-b"))
    fleet.sees(group("GroupOperationCompleted", "creation").counts(2, 2))
    fleet.sees(group("GroupOperationStarted", "scaling").counts(2, 1), terminated("i-a"))
    fleet.sees(group("GroupOperationCompleted", "scaling").counts(1, 1), sick("i-b"), new("i-c"))
    assert links(fleet)["i-c"] == ("i-b", None, "inferred")
    assert links(fleet)["i-a"] == (None, None, None)


def test_who_goes_after_a_snapshot_counted_as_many_as_wanted_was_not_scaled_down(fleet: Fleet) -> None:
    fleet.sees(born("i-a"), born("i-b"), state_change("InService", workers=shown("InService", 2, 2)))
    fleet.sees(state_change("Updating", workers=shown("Updating", 2, 1)), terminated("i-a"))
    fleet.sees(state_change("InService", workers=shown("InService", 1, 1)))
    fleet.waits(10)
    fleet.sees(terminated("i-b"), new("i-c"))
    assert links(fleet)["i-a"] == (None, None, None)
    assert links(fleet)["i-c"] == ("i-b", None, "inferred")


def test_who_goes_after_the_scaling_was_not_scaled_down(fleet: Fleet) -> None:
    fleet.sees(group("GroupOperationStarted", "creation").counts(0, 2), born("i-a"), born("i-b"))
    fleet.sees(group("GroupOperationStarted", "scaling").counts(2, 1), terminated("i-a"))
    fleet.sees(group("GroupOperationCompleted", "scaling").counts(1, 1), terminated("i-b"), new("i-c"))
    assert links(fleet)["i-c"] == ("i-b", None, "inferred")


def test_other_groups_are_not_looked_at(fleet: Fleet) -> None:
    fleet.sees(born("i-a", group="others"), instance("TerminationInProgress", "i-a", group="others"), new("i-b"))
    assert links(fleet)["i-b"] == (None, None, None)


def test_a_replacement_that_starts_before_the_old_one_ends(fleet: Fleet) -> None:
    fleet.sees(born("i-a"), sick("i-a"), new("i-b")[:2], terminated("i-a"), new("i-b")[2:])
    assert links(fleet) == {"i-a": (None, "i-b", None), "i-b": ("i-a", None, "inferred")}


# Mixed


def test_a_slot_known_of_one_side_only(fleet: Fleet) -> None:
    fleet.sees(born("i-a", "s-1"), born("i-b"), sick("i-a"), sick("i-b"), new("i-c"), new("i-d", "s-2"))
    assert links(fleet)["i-c"] == ("i-a", None, "inferred")
    assert links(fleet)["i-d"] == ("i-b", None, "inferred")


def test_two_known_slots_are_never_guessed_across(fleet: Fleet) -> None:
    fleet.sees(born("i-a", "s-1"), sick("i-a"), new("i-b", "s-2"))
    assert links(fleet)["i-b"] == (None, None, None)


def test_delete_words_name_the_one_that_goes(fleet: Fleet) -> None:
    fleet.sees(born("i-a", "s-1"), instance("ReplacementStarted", "i-a", "deletion").slot("s-1"))
    fleet.sees(new("i-b", "s-1"), instance("ReplacementCompleted", "i-a", "deletion"))
    assert links(fleet) == {"i-a": (None, "i-b", None), "i-b": ("i-a", None, "node_logical_id")}
