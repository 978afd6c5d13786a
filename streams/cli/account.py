"""The options of commands that ask AWS: which clusters, whose account, in which region.

Knows: their names, which are those of the AWS command line.
Must not know: what AWS is asked, boto3.
"""

from __future__ import annotations

from typing import Annotated

import typer

from streams.cli import names

Clusters = Annotated[
    list[str],
    typer.Option(
        "--cluster",
        metavar="NAME",
        autocompletion=names.clusters,
        help="Only this cluster, by name or ARN; repeatable.  [default: all there are]",
    ),
]
Profile = Annotated[
    str | None, typer.Option(metavar="NAME", help="A profile of your AWS configuration.  [env: AWS_PROFILE]")
]
Role = Annotated[
    str | None,
    typer.Option("--role-arn", metavar="ARN", help="A role to take on first, such as one in the clusters' account."),
]
Region = Annotated[str | None, typer.Option(metavar="REGION", help="The clusters' AWS region.  [env: AWS_REGION]")]
