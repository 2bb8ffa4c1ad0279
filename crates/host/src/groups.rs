//! Control groups: how the kernel keeps a node's processes, and all that they start, within memory and CPU.
//!
//! Version 2 is used where a part of the tree was given to the server (systemd: `Delegate=yes`, `DelegateSubgroup=`), version 1
//! where the server may make groups below its own. Formats: Linux, `Documentation/admin-guide/cgroup-v2.rst` and
//! `cgroup-v1/`.

use std::io::{Error, ErrorKind, Result};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use procfs::ProcessCGroup;
use procfs::process::{MountInfo, Process};
use serde::{Deserialize, Serialize};
use types::LimitsKeeper;
use workload::Resources;

/// Microseconds in which a group gets its share of CPU: the kernel's default.
const PERIOD_US: f64 = 100_000.0;
/// Processes that were killed leave their group a little later.
const EMPTYING: Duration = Duration::from_secs(2);

/// Where groups can be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "version")]
pub(crate) enum Groups {
    /// One tree for all controllers.
    V2 {
        /// The part that was given to the server.
        given: PathBuf,
        /// The group below it in which the server and its shims are.
        own: PathBuf,
    },
    /// A tree for each controller: the group in which the server and its shims are.
    V1 { memory: PathBuf, cpu: PathBuf },
}

/// A node's group: a directory in each tree.
#[derive(Debug)]
pub(crate) struct Group {
    version: LimitsKeeper,
    directories: Vec<PathBuf>,
    /// Where a process is that leaves it, tree by tree.
    outside: Vec<PathBuf>,
}

impl Groups {
    /// Where this process may make groups; none where it may not.
    pub(crate) fn of_this_process() -> Option<Self> {
        let process = Process::myself().ok()?;
        let (mounts, groups) = (process.mountinfo().ok()?.0, process.cgroups().ok()?.0);
        Self::v2(&mounts, &groups).or_else(|| Self::v1(&mounts, &groups)).filter(|found| found.work().is_ok())
    }

    fn v2(mounts: &[MountInfo], groups: &[ProcessCGroup]) -> Option<Self> {
        let mount = mounts.iter().find(|mount| mount.fs_type == "cgroup2")?;
        let group = groups.iter().find(|group| group.hierarchy == 0)?;
        let own = place(mount, group)?;
        let given = own.parent()?;
        // systemd divides a unit's group only when the unit was given it; elsewhere the tree is not the server's to change.
        let unit = given.extension().is_some_and(|extension| extension == "service" || extension == "scope");
        unit.then(|| Self::V2 { given: given.into(), own: own.clone() })
    }

    fn v1(mounts: &[MountInfo], groups: &[ProcessCGroup]) -> Option<Self> {
        let own = |controller: &str| {
            let mount = mounts
                .iter()
                .find(|mount| mount.fs_type == "cgroup" && mount.super_options.contains_key(controller))?;
            place(mount, groups.iter().find(|group| group.controllers.iter().any(|name| name == controller))?)
        };
        Some(Self::V1 { memory: own("memory")?, cpu: own("cpu")? })
    }

    /// Tries it out.
    fn work(&self) -> Result<()> {
        let limits = Resources { memory_bytes: Some(1 << 30), cpus: Some(1.0) };
        let group = self.make(&format!("polder-probe-{}", std::process::id()), &limits)?;
        group.remove()
    }

    /// Makes a node's group, or finds it, and sets its limits.
    pub(crate) fn make(&self, name: &str, limits: &Resources) -> Result<Group> {
        let quota = limits.cpus.map(|cpus| (cpus * PERIOD_US).round());
        let group = self.named(name);
        match self {
            Self::V2 { given, .. } => {
                std::fs::write(given.join("cgroup.subtree_control"), "+cpu +memory")?;
                make(&group.directories[0])?;
                let file = |name: &str| group.directories[0].join(name);
                if let Some(bytes) = limits.memory_bytes {
                    std::fs::write(file("memory.max"), bytes.to_string())?;
                    // Not everywhere; where it is, nothing above the limit goes to the disk instead.
                    let _ = std::fs::write(file("memory.swap.max"), "0");
                }
                if let Some(quota) = quota {
                    std::fs::write(file("cpu.max"), format!("{quota} {PERIOD_US}"))?;
                }
            }
            Self::V1 { .. } => {
                group.directories.iter().try_for_each(|directory| make(directory))?;
                if let Some(bytes) = limits.memory_bytes {
                    let file = |name: &str| group.directories[0].join(name);
                    // With swap must not be below without: so it is set second, and first when both become smaller.
                    let _ = std::fs::write(file("memory.memsw.limit_in_bytes"), "-1");
                    std::fs::write(file("memory.limit_in_bytes"), bytes.to_string())?;
                    let _ = std::fs::write(file("memory.memsw.limit_in_bytes"), bytes.to_string());
                }
                if let Some(quota) = quota {
                    std::fs::write(group.directories[1].join("cpu.cfs_quota_us"), quota.to_string())?;
                }
            }
        }
        Ok(group)
    }

    /// A node's group by its name, whether it is there or not.
    pub(crate) fn named(&self, name: &str) -> Group {
        match self {
            Self::V2 { given, own } => Group {
                version: LimitsKeeper::CgroupV2,
                directories: vec![given.join(name)],
                outside: vec![own.clone()],
            },
            Self::V1 { memory, cpu } => Group {
                version: LimitsKeeper::CgroupV1,
                directories: vec![memory.join(name), cpu.join(name)],
                outside: vec![memory.clone(), cpu.clone()],
            },
        }
    }
}

/// The directory of a process' group in a tree.
fn place(mount: &MountInfo, group: &ProcessCGroup) -> Option<PathBuf> {
    let below = group.pathname.strip_prefix(mount.root.trim_end_matches('/'))?;
    Some(mount.mount_point.join(below.trim_start_matches('/')))
}

fn make(directory: &Path) -> Result<()> {
    match std::fs::create_dir(directory) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        made => made,
    }
}

impl Group {
    /// Who keeps the limits.
    pub(crate) fn keeper(&self) -> LimitsKeeper {
        self.version
    }

    /// What `start` starts is in the group; this process is not, once it returns.
    ///
    /// # Errors
    /// That of `start`, or the group cannot be entered.
    pub(crate) fn around<T>(&self, start: impl FnOnce() -> Result<T>) -> Result<T> {
        let started = move_here(&self.directories).and_then(|()| start());
        move_here(&self.outside)?;
        started
    }

    /// How many processes were killed because of its memory, so far.
    pub(crate) fn killed_for_memory(&self) -> u64 {
        let file = match self.version {
            LimitsKeeper::CgroupV2 => "memory.events",
            _ => "memory.oom_control",
        };
        let text = std::fs::read_to_string(self.directories[0].join(file)).unwrap_or_default();
        let count = text.lines().find_map(|line| line.strip_prefix("oom_kill ")?.parse().ok());
        count.unwrap_or_default()
    }

    /// Ends all that is in it.
    pub(crate) fn kill(&self) {
        for id in self.processes() {
            // It may have ended meanwhile.
            let _ = kill(Pid::from_raw(id), Signal::SIGKILL);
        }
    }

    fn processes(&self) -> Vec<i32> {
        let text = |directory: &PathBuf| std::fs::read_to_string(directory.join("cgroup.procs")).unwrap_or_default();
        self.directories
            .iter()
            .flat_map(|directory| text(directory).lines().filter_map(|line| line.parse().ok()).collect::<Vec<_>>())
            // Processes of another namespace have no number here.
            .filter(|id| *id > 0)
            .collect()
    }

    /// Ends what is in it and removes it. No error when there is nothing.
    pub(crate) fn remove(&self) -> Result<()> {
        let end = std::time::Instant::now() + EMPTYING;
        for directory in &self.directories {
            loop {
                match std::fs::remove_dir(directory) {
                    Err(error) if error.kind() == ErrorKind::NotFound => break,
                    Err(error) if error.raw_os_error() == Some(nix::libc::EBUSY) && std::time::Instant::now() < end => {
                        self.kill();
                        std::thread::sleep(Duration::from_millis(5));
                    }
                    Err(error) => return Err(Error::new(error.kind(), format!("{}: {error}", directory.display()))),
                    Ok(()) => break,
                }
            }
        }
        Ok(())
    }
}

/// Moves this process to a group of each tree.
fn move_here(directories: &[PathBuf]) -> Result<()> {
    directories.iter().try_for_each(|directory| {
        std::fs::write(directory.join("cgroup.procs"), std::process::id().to_string())
            .map_err(|error| Error::new(error.kind(), format!("{}: {error}", directory.display())))
    })
}

#[cfg(test)]
mod tests {
    use procfs::FromRead;
    use procfs::ProcessCGroups;
    use procfs::process::MountInfos;

    use super::*;

    fn found(mounts: &str, groups: &str) -> Option<Groups> {
        let mounts = MountInfos::from_read(mounts.as_bytes()).unwrap().0;
        let groups = ProcessCGroups::from_read(groups.as_bytes()).unwrap().0;
        Groups::v2(&mounts, &groups).or_else(|| Groups::v1(&mounts, &groups))
    }

    const UNIFIED: &str = "26 23 0:24 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";

    #[test]
    fn the_tree_of_version_2_is_used_only_where_it_was_given() {
        let given = found(UNIFIED, "0::/system.slice/polder.service/main\n");
        let unit = PathBuf::from("/sys/fs/cgroup/system.slice/polder.service");
        assert_eq!(given, Some(Groups::V2 { own: unit.join("main"), given: unit }));
        for kept in ["0::/system.slice/polder.service\n", "0::/user.slice/user-1.slice/session-1.scope\n", "0::/\n"] {
            assert_eq!(found(UNIFIED, kept), None, "{kept}");
        }
    }

    #[test]
    fn trees_of_version_1_are_found_below_what_a_container_sees() {
        let mounts = "30 25 0:26 /docker/1 /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
                      31 25 0:27 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n";
        let groups = "4:memory:/docker/1/x\n3:cpu,cpuacct:/y\n0::/\n";
        let expected =
            Groups::V1 { memory: "/sys/fs/cgroup/memory/x".into(), cpu: "/sys/fs/cgroup/cpu,cpuacct/y".into() };
        assert_eq!(found(mounts, groups), Some(expected));
        assert_eq!(found(&mounts.replace(" cgroup cgroup", " tmpfs tmpfs"), groups), None);
    }
}
