//! What Linux says about processes and the machine.

use rustix::process::{Resource, getrlimit, setrlimit};
use serde::Serialize;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::str::FromStr;
use std::time::{Duration, Instant};

/// `/proc` counts CPU in ticks of 10 ms, on every Linux.
const TICKS_PER_S: f64 = 100.0;

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// A field of a `stat` line of a process or thread, counted from 0 after the name: the name may hold spaces and is closed
/// by the last bracket.
fn field_of<T: FromStr>(stat: &str, index: usize) -> Option<T> {
    stat.rsplit(')').next().unwrap_or_default().split_whitespace().nth(index)?.parse().ok()
}

/// User and system seconds of such a line.
fn cpu_of(stat: &str) -> f64 {
    [11, 12].into_iter().filter_map(|i| field_of::<f64>(stat, i)).sum::<f64>() / TICKS_PER_S
}

/// CPU seconds that processes have used.
pub(crate) fn cpu_s(pids: &[u32]) -> f64 {
    pids.iter().map(|pid| cpu_of(&read(&format!("/proc/{pid}/stat")))).sum()
}

/// Resident memory of processes in KiB.
pub(crate) fn resident_kib(pids: &[u32]) -> f64 {
    let of = |pid: &u32| {
        let status = read(&format!("/proc/{pid}/status"));
        let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).unwrap_or_default();
        line.split_whitespace().next().and_then(|kib| kib.parse::<f64>().ok()).unwrap_or_default()
    };
    pids.iter().map(of).sum()
}

/// CPU seconds of the calling thread.
pub(crate) fn thread_cpu_s() -> f64 {
    cpu_of(&read("/proc/thread-self/stat"))
}

/// A thread of this process, for who looks at it from another.
#[derive(Debug, Clone)]
pub(crate) struct Thread(String);

impl Thread {
    /// The calling one.
    pub(crate) fn current() -> Self {
        let link = fs::read_link("/proc/thread-self").unwrap_or_default();
        Self(format!("/proc/{}/stat", link.display()))
    }

    /// CPU seconds that it has used; 0 when it has ended.
    pub(crate) fn cpu_s(&self) -> f64 {
        cpu_of(&read(&self.0))
    }
}

/// The process that has started this one, where it is on this machine.
pub(crate) fn parent(pid: u32) -> Option<u32> {
    field_of(&read(&format!("/proc/{pid}/stat")), 1)
}

/// CPU seconds of a process and of all that it has started, those that have ended and were waited for included.
pub(crate) fn family_cpu_s(pid: u32) -> f64 {
    let own = read(&format!("/proc/{pid}/stat"));
    let ended: f64 = [13, 14].into_iter().filter_map(|i| field_of::<f64>(&own, i)).sum::<f64>() / TICKS_PER_S;
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()));
    let children = pids.map(|pid| read(&format!("/proc/{pid}/stat"))).filter(|stat| field_of(stat, 1) == Some(pid));
    cpu_of(&own) + ended + children.map(|stat| cpu_of(&stat)).sum::<f64>()
}

/// Files that this process may have open.
pub(crate) fn file_limit() -> usize {
    getrlimit(Resource::Nofile).current.map_or(usize::MAX, |most| usize::try_from(most).unwrap_or(usize::MAX))
}

/// Lets this process, and what it starts from now on, open as many files as the system allows: a viewer is one at each end.
pub(crate) fn raise_file_limit() {
    let limit = getrlimit(Resource::Nofile);
    let raised = rustix::process::Rlimit { current: limit.maximum, maximum: limit.maximum };
    // Who needs more than there is, is told how much when a run begins.
    let _ = setrlimit(Resource::Nofile, raised);
}

/// The process of a Redis, as it says itself.
pub(crate) fn redis_pid(url: &str) -> Option<u32> {
    let (login, place) = url.strip_prefix("redis://")?.rsplit_once('@').unwrap_or(("", url.strip_prefix("redis://")?));
    let password = login.split_once(':').map_or("", |(_, password)| password);
    let mut stream = TcpStream::connect(place.split('/').next()?).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
    let auth = if password.is_empty() { String::new() } else { format!("AUTH {password}\r\n") };
    stream.write_all(format!("{auth}INFO server\r\nQUIT\r\n").as_bytes()).ok()?;
    let mut said = String::new();
    // It closes after QUIT.
    let _ = stream.read_to_string(&mut said);
    said.lines().find_map(|line| line.strip_prefix("process_id:"))?.trim().parse().ok()
}

/// Seconds in which the machine's cores did something, and all seconds.
fn machine_s() -> (f64, f64) {
    let stat = read("/proc/stat");
    let ticks: Vec<f64> =
        stat.lines().next().unwrap_or_default().split_whitespace().skip(1).filter_map(|t| t.parse().ok()).collect();
    // user nice system idle iowait irq softirq steal; guest time is in user's.
    let idle = ticks.iter().skip(3).take(2).sum::<f64>();
    let all = ticks.iter().take(8).sum::<f64>();
    ((all - idle) / TICKS_PER_S, all / TICKS_PER_S)
}

/// What a stretch of time cost.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct Used {
    pub(crate) wall_s: f64,
    /// CPU seconds of the servers.
    pub(crate) servers_s: f64,
    /// CPU seconds of this process.
    pub(crate) generator_s: f64,
    /// Share of all cores in which somebody did something.
    pub(crate) machine_busy: f64,
    /// Share of all cores that neither servers nor generator used: the noise, and what the servers have others do.
    pub(crate) others: f64,
}

/// The beginning of such a stretch.
pub(crate) struct Meter {
    began: Instant,
    pids: Vec<u32>,
    servers_s: f64,
    generator_s: f64,
    machine_s: (f64, f64),
}

impl Meter {
    pub(crate) fn start(pids: &[u32]) -> Self {
        Self {
            began: Instant::now(),
            pids: pids.to_vec(),
            servers_s: cpu_s(pids),
            generator_s: cpu_s(&[std::process::id()]),
            machine_s: machine_s(),
        }
    }

    pub(crate) fn read(&self) -> Used {
        let (busy, all) = machine_s();
        let (busy_s, all_s) = (busy - self.machine_s.0, (all - self.machine_s.1).max(0.01));
        let servers_s = cpu_s(&self.pids) - self.servers_s;
        let generator_s = cpu_s(&[std::process::id()]) - self.generator_s;
        Used {
            wall_s: self.began.elapsed().as_secs_f64(),
            servers_s,
            generator_s,
            machine_busy: busy_s / all_s,
            others: ((busy_s - servers_s - generator_s) / all_s).max(0.0),
        }
    }
}

/// Load averages, as the kernel says them.
pub(crate) fn load_average() -> String {
    read("/proc/loadavg").split_whitespace().take(3).collect::<Vec<_>>().join(" ")
}

/// Whether this process, and so what it starts, is scheduled before all usual ones: `chrt -r 10 load …`, for a machine that
/// others use as well.
fn is_realtime() -> bool {
    let stat = read("/proc/self/stat");
    // The policy is field 41, the 39th after the name; 1 and 2 are SCHED_FIFO and SCHED_RR.
    matches!(field_of::<u32>(&stat, 38), Some(1 | 2))
}

/// The machine in one line: cores, CPU, memory, kernel.
pub(crate) fn machine() -> String {
    let info = read("/proc/cpuinfo");
    let field = |name: &str| {
        let line = info.lines().find(|l| l.starts_with(name)).unwrap_or_default();
        line.split_once(':').map_or("", |(_, v)| v).trim().to_owned()
    };
    let cores = info.lines().filter(|l| l.starts_with("processor")).count();
    let memory = read("/proc/meminfo");
    let kib = memory.split_whitespace().nth(1).and_then(|kib| kib.parse::<f64>().ok()).unwrap_or_default();
    let kernel = read("/proc/sys/kernel/osrelease");
    let priority = if is_realtime() { "; servers and generator ran before everything else (real-time)" } else { "" };
    let is_virtual = if field("flags").contains("hypervisor") { ", virtual" } else { "" };
    format!(
        "{cores} cores of {} (family {}, model {}){is_virtual}, {:.0} GiB, Linux {}{priority}",
        field("model name"),
        field("cpu family"),
        field("model"),
        kib / 1024.0 / 1024.0,
        kernel.split('-').next().unwrap_or_default().trim(),
    )
}
