package bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.lang.management.ManagementFactory;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/** Drains a topic with the small step, prints one line of figures, ends. Its one argument is a job as job.py has it. */
public final class Main {
    static final AtomicLong seen = new AtomicLong();
    static final AtomicLong done = new AtomicLong();
    static final AtomicLong lastSeen = new AtomicLong();
    static final AtomicLong began = new AtomicLong();
    static final AtomicLong first = new AtomicLong();
    static final AtomicLong cpu = new AtomicLong();
    static final CountDownLatch last = new CountDownLatch(1);
    static Map<Integer, Long> ends;
    static long wanted;
    static long warm;

    /** The step, on a store of Kafka Streams' own. */
    static final class Small implements Processor<byte[], byte[], byte[], byte[]> {
        private ProcessorContext<byte[], byte[]> context;
        private KeyValueStore<String, byte[]> rows;

        @Override
        public void init(ProcessorContext<byte[], byte[]> context) {
            this.context = context;
            rows = context.getStateStore("rows");
        }

        @Override
        public void process(Record<byte[], byte[]> message) {
            long number = seen.getAndIncrement();
            if (number == 0) {
                first.set(System.nanoTime());
            }
            if (number == warm) {
                began.set(System.nanoTime());
                cpu.set(cpuNanos());
            }
            Step.Record record = Step.parse(message.value());
            String key = Step.key(record);
            byte[] held = rows.get(key);
            Row row = held == null ? Step.begin(record) : Step.decode(held);
            byte[] anomaly = Step.step(row, record);
            rows.put(key, Step.encode(row));
            if (anomaly != null) {
                context.forward(message.withKey(key.getBytes()).withValue(anomaly));
            }
            var place = context.recordMetadata().orElseThrow();
            if (place.offset() == ends.get(place.partition()) - 1) {
                context.commit(); // what is last is written at once, as at the end of every contender's run
            }
            if (done.incrementAndGet() == wanted) {
                lastSeen.set(System.nanoTime());
                last.countDown();
            }
        }
    }

    static long cpuNanos() {
        var bean = (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        return bean.getProcessCpuTime();
    }

    public static void main(String[] args) throws Exception {
        JsonNode job = new ObjectMapper().readTree(args[0]);
        JsonNode options = job.get("options");
        String topic = job.get("topic").asText();
        String group = job.get("group").asText();
        wanted = job.get("events").asLong();
        warm = job.get("warm").asLong();

        Topology topology = new Topology();
        topology.addSource("events", Serdes.ByteArray().deserializer(), Serdes.ByteArray().deserializer(), topic);
        topology.addProcessor("small", Small::new, "events");
        topology.addStateStore(
            Stores.keyValueStoreBuilder(
                    Stores.persistentKeyValueStore("rows"), Serdes.String(), Serdes.ByteArray())
                .withCachingEnabled(),
            "small");
        topology.addSink(
            "anomalies", group + "-anomalies", Serdes.ByteArray().serializer(), Serdes.ByteArray().serializer(), "small");

        ends = endsOf(job.get("bootstrap").asText(), topic);
        long ready = System.nanoTime();
        KafkaStreams streams = new KafkaStreams(topology, properties(job, options, group));
        streams.setUncaughtExceptionHandler(error -> {
            error.printStackTrace();
            return org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler
                .StreamThreadExceptionResponse.SHUTDOWN_APPLICATION;
        });
        streams.start();
        last.await();
        awaitCommitted(job.get("bootstrap").asText(), group, topic);
        long end = System.nanoTime();
        System.out.printf(
            Locale.ROOT,
            "FIGURES {\"events\": %d, \"seconds\": %.4f, \"cpu_seconds\": %.4f, \"start_seconds\": %.4f,"
                + " \"last_seconds\": %.4f}%n",
            done.get() - warm, (end - began.get()) / 1e9, (cpuNanos() - cpu.get()) / 1e9, (first.get() - ready) / 1e9,
            (lastSeen.get() - ready) / 1e9);
        streams.close();
        System.exit(0);
    }

    private static Properties properties(JsonNode job, JsonNode options, String group) {
        Properties properties = new Properties();
        properties.put(StreamsConfig.APPLICATION_ID_CONFIG, group);
        properties.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, job.get("bootstrap").asText());
        properties.put(StreamsConfig.STATE_DIR_CONFIG, job.get("folder").asText());
        properties.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, options.path("threads").asInt(1));
        properties.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, options.path("guarantee").asText("at_least_once"));
        properties.put(
            StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, (int) (job.get("checkpoint_seconds").asDouble() * 1000));
        properties.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 256L << 20);
        properties.put("auto.offset.reset", "earliest");
        properties.put(StreamsConfig.consumerPrefix("fetch.max.wait.ms"), 50);
        properties.put(StreamsConfig.consumerPrefix("max.poll.records"), 5000);
        properties.put(StreamsConfig.consumerPrefix("session.timeout.ms"), 10_000);
        properties.put(StreamsConfig.consumerPrefix("group.instance.id"), "bench"); // known again after a restart
        return properties;
    }

    private static Map<Integer, Long> endsOf(String bootstrap, String topic) throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            Map<TopicPartition, OffsetSpec> asked = new HashMap<>();
            var partitions = admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).partitions();
            partitions.forEach(part -> asked.put(new TopicPartition(topic, part.partition()), OffsetSpec.latest()));
            Map<Integer, Long> found = new HashMap<>();
            admin.listOffsets(asked).all().get().forEach((part, end) -> found.put(part.partition(), end.offset()));
            return found;
        }
    }

    /** Until the group's offsets are those of the topic's end: then all that came before them is written. */
    private static void awaitCommitted(String bootstrap, String group, String topic) throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            boolean all = false;
            while (!all) {
                Map<TopicPartition, OffsetAndMetadata> at =
                    admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get();
                all = ends.entrySet().stream().allMatch(end -> {
                    OffsetAndMetadata here = at.get(new TopicPartition(topic, end.getKey()));
                    return end.getValue() == 0 || here != null && here.offset() >= end.getValue();
                });
                Thread.sleep(all ? 0 : 5);
            }
        }
    }

    private Main() {}
}
