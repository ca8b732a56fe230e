//! What the operating system says of this process: memory, file handles, processor time. On Linux alone.

use std::fmt;

use procfs::{WithCurrentSystemInfo, process::Process};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
};

/// Reads this process whenever it is asked, under the names that every Prometheus client uses.
#[derive(Debug)]
pub(super) struct ProcessCollector {
    /// Seconds since 1970.
    started: f64,
}

impl ProcessCollector {
    /// Of a process that starts now.
    pub(super) fn new() -> Self {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Self { started: since.as_secs_f64() }
    }
}

impl Collector for ProcessCollector {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), fmt::Error> {
        let mut gauge = |name: &str, help: &str, value: f64| {
            ConstGauge::new(value).encode(encoder.encode_descriptor(name, help, None, MetricType::Gauge)?)
        };
        gauge("process_start_time_seconds", "When the process started, in seconds since 1970", self.started)?;
        // Without /proc, as in some sandboxes, the rest is left out.
        let Ok(process) = Process::myself() else { return Ok(()) };
        if let Ok(handles) = process.fd_count() {
            gauge("process_open_fds", "File handles that are open", handles as f64)?;
        }
        if let Some(most) = process.limits().ok().and_then(|limits| soft(limits.max_open_files.soft_limit)) {
            gauge("process_max_fds", "File handles that may be open", most as f64)?;
        }
        if let Ok(stat) = process.stat() {
            let resident = stat.rss_bytes().get() as f64;
            gauge("process_resident_memory_bytes", "Memory in use, in bytes", resident)?;
            gauge("process_virtual_memory_bytes", "Address space, in bytes", stat.vsize as f64)?;
            gauge("process_threads", "Threads", stat.num_threads as f64)?;
            let seconds = (stat.utime + stat.stime) as f64 / procfs::ticks_per_second() as f64;
            ConstCounter::new(seconds).encode(encoder.encode_descriptor(
                "process_cpu_seconds",
                "Processor time that was used, in seconds",
                None,
                MetricType::Counter,
            )?)?;
        }
        Ok(())
    }
}

const fn soft(limit: procfs::process::LimitValue) -> Option<u64> {
    match limit {
        procfs::process::LimitValue::Value(most) => Some(most),
        procfs::process::LimitValue::Unlimited => None,
    }
}
