"""The configuration of a small Flink cluster on loopback: files and command lines of its processes."""

from pathlib import Path

from tests.engines.processes import HOST

# What Flink's own configuration gives a Java of version 17.
_OPENED = (
    "java.base/java.lang", "java.base/java.lang.reflect", "java.base/java.net", "java.base/java.io",
    "java.base/java.nio", "java.base/sun.nio.ch", "java.base/java.text", "java.base/java.time", "java.base/java.util",
    "java.base/java.util.concurrent", "java.base/java.util.concurrent.atomic", "java.base/java.util.concurrent.locks",
)  # fmt: skip
_EXPORTED = ("java.rmi/sun.rmi.registry", "java.security.jgss/sun.security.krb5", "java.base/sun.net.util")
JOB_MANAGER = "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint"
TASK_MANAGER = "org.apache.flink.runtime.taskexecutor.TaskManagerRunner"
_LOG4J = """\
rootLogger.level = INFO
rootLogger.appenderRef.console.ref = Console
appender.console.name = Console
appender.console.type = CONSOLE
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{HH:mm:ss,SSS} %-5p %-40c %x - %m%n
"""


def write_config(folder: Path, rpc_port: int, rest_port: int, slots: int) -> None:
    """Writes `config.yaml` and `log4j.properties`.

    A task manager's memory is written out in full: the scripts that would derive it are not in the distribution.
    Elements are shards, so that little memory does; the patches are the Python workers' own.

    Args:
        folder: takes them.
        rpc_port: of the job manager.
        rest_port: of its REST interface.
        slots: of a task manager.
    """
    values = {
        "jobmanager.rpc.address": HOST,
        "jobmanager.rpc.port": rpc_port,
        "jobmanager.bind-host": HOST,
        "rest.address": HOST,
        "rest.port": rest_port,
        "rest.bind-address": HOST,
        "rest.bind-port": rest_port,
        "taskmanager.host": HOST,
        "taskmanager.bind-host": HOST,
        "taskmanager.numberOfTaskSlots": slots,
        "taskmanager.cpu.cores": float(slots),
        "taskmanager.memory.framework.heap.size": "128m",
        "taskmanager.memory.framework.off-heap.size": "128m",
        "taskmanager.memory.jvm-metaspace.size": "256m",
        "taskmanager.memory.jvm-overhead.min": "192m",
        "taskmanager.memory.jvm-overhead.max": "192m",
        "taskmanager.memory.task.heap.size": "256m",
        "taskmanager.memory.task.off-heap.size": "0m",
        "taskmanager.memory.managed.size": "128m",
        "taskmanager.memory.network.min": "64m",
        "taskmanager.memory.network.max": "64m",
        "parallelism.default": 1,
        # A shard that was finished is found finished: what is tried again costs little. Batch jobs need no checkpoint.
        "restart-strategy.type": "fixed-delay",
        "restart-strategy.fixed-delay.attempts": 20,
        "restart-strategy.fixed-delay.delay": "3s",
        # A dead task manager is noticed within seconds, and a busy machine's pause is still no death.
        "heartbeat.interval": "2s",
        "heartbeat.timeout": "15s",
        "io.tmp.dirs": str(folder / "tmp"),
        "web.submit.enable": "false",
    }
    (folder / "tmp").mkdir(parents=True, exist_ok=True)
    lines = [f"{key}: {str(value).lower() if isinstance(value, bool) else value}" for key, value in values.items()]
    (folder / "config.yaml").write_text("\n".join(lines) + "\n")
    (folder / "log4j.properties").write_text(_LOG4J)


def java(home: Path, config: Path, entry: str, heap: str, *arguments: str) -> list[str]:
    """The command line of a Flink process.

    Args:
        home: the distribution.
        config: folder with the configuration.
        entry: class.
        heap: such as 512m.
        arguments: of the class.
    """
    return [
        "java", f"-Xmx{heap}", "-XX:+UseSerialGC", "-XX:MaxDirectMemorySize=320m",
        *(f"--add-opens={name}=ALL-UNNAMED" for name in _OPENED),
        *(f"--add-exports={name}=ALL-UNNAMED" for name in _EXPORTED),
        f"-Dlog4j.configurationFile={config / 'log4j.properties'}",
        "-cp", str(home / "lib/*"), entry, "--configDir", str(config), *arguments,
    ]  # fmt: skip
