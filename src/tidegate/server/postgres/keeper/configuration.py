"""postgresql.conf and pg_hba.conf as Tidegate writes them, anew at every start; `ALTER SYSTEM` still wins over them."""

import os

MEGABYTE = 1024 * 1024

# Nobody enters without the password, and there is no door but the socket.
HOST_BASED_ACCESS = "local all all scram-sha-256\n"


def settings_text(cluster_name: str, memory: int) -> str:
    """postgresql.conf for a machine with `memory` bytes and few cores, most of both left to Tidegate itself."""
    shared = min(256, max(32, memory // MEGABYTE // 8))
    settings: dict[str, str | float] = {
        "cluster_name": cluster_name,
        "listen_addresses": "",
        "unix_socket_permissions": "0700",
        "max_connections": 100,
        "password_encryption": "scram-sha-256",
        # What is committed stays, whatever happens to the machine.
        "fsync": "on",
        "full_page_writes": "on",
        "synchronous_commit": "on",
        # Ingest compares a Record's findings by one hash join; a spill to disk is what makes it slow.
        "shared_buffers": f"{shared}MB",
        "work_mem": f"{shared // 4}MB",
        "temp_buffers": f"{shared // 4}MB",
        "maintenance_work_mem": f"{shared}MB",
        "autovacuum_work_mem": f"{shared // 4}MB",
        "effective_cache_size": f"{max(shared, memory // MEGABYTE // 2)}MB",
        # On two cores helpers take time from whoever else works, and containers give them only 64 MB of /dev/shm.
        "max_parallel_workers_per_gather": 0,
        "max_parallel_maintenance_workers": 0,
        "jit": "off",
        "random_page_cost": 1.1,
        # Nobody replicates from an embedded server, so what is made and filled in one transaction skips the journal.
        "wal_level": "minimal",
        "max_wal_senders": 0,
        "wal_compression": "on",
        # A first import writes 1.5 kB of journal a finding; with a full buffer it waits for the disk (measured).
        "wal_buffers": f"{shared // 4}MB",
        # And the one whose task that is writes it meanwhile, or the import itself must (measured: 4 % of its time).
        "wal_writer_delay": "10ms",
        "max_wal_size": "4GB",
        "min_wal_size": "128MB",
        "checkpoint_timeout": "15min",
        # A large table is cleaned after 2 % of changes, not after 20 %.
        "autovacuum_vacuum_scale_factor": 0.02,
        "autovacuum_analyze_scale_factor": 0.02,
        # A query whose client was killed ends soon, not when it is through.
        "client_connection_check_interval": "5s",
        # Statements and the details of errors carry people's values, secrets among them: neither goes to the log.
        "log_min_error_statement": "panic",
        "log_min_duration_statement": -1,
        "log_error_verbosity": "terse",
        "log_line_prefix": "%m [%p] ",
        "logging_collector": "off",
        "lc_messages": "C",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "default_text_search_config": "pg_catalog.simple",
    }
    lines = [f"{name} = '{value}'" for name, value in settings.items()]
    return "\n".join(["# Written by Tidegate at every start. Use ALTER SYSTEM to change a setting.", *lines, ""])


def memory_of_machine() -> int:
    """Bytes of memory this machine has."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
