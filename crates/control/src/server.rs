//! The server about itself.

use keys::MasterKeySource;
use nix::sys::statvfs::statvfs;
use store::settings;
use types::{Code, Permission, Server};

use crate::{Caller, Control, Error, Result};

/// Below this much free space an administrator is warned.
const LOW_DISK: u64 = 1 << 30;

impl Control {
    /// What the server is and what an administrator should see to.
    pub fn server(&self, caller: &Caller) -> Result<Server> {
        caller.require(Permission::ServerRead)?;
        let disk_free_bytes = self.disk_free()?;
        let mut warnings = Vec::new();
        // Paths and free space of the machine are for who can do something about them.
        let sees_to_it = caller.require(Permission::ServerWrite).is_ok();
        if let MasterKeySource::Generated(path) | MasterKeySource::DataDirectory(path) = self.master_key_source() {
            warnings.push(format!(
                "The master key lies in the data directory ({}). Keep a copy elsewhere: backups leave it out, and without it the private keys cannot be read.",
                path.display()
            ));
        }
        if disk_free_bytes < LOW_DISK {
            warnings.push(format!("Only {} MiB are free below the data directory.", disk_free_bytes >> 20));
        }
        Ok(Server {
            version: self.version().to_owned(),
            started_at: self.started_at(),
            database: self.store().database().as_str().into(),
            memory_bytes: resident_bytes()?,
            disk_free_bytes,
            allowed_addresses: if sees_to_it { self.outbound().allow_list().entries() } else { Vec::new() },
            warnings: if sees_to_it { warnings } else { Vec::new() },
        })
    }

    /// Fails with what is wrong when the server cannot serve now: the database does not answer or the disk is full.
    pub async fn ready(&self) -> Result<()> {
        settings::get(&mut *self.store().read().await?, "").await?;
        if self.disk_free()? == 0 {
            return Err(Error::new(Code::HostDisk, "The disk of the data directory is full. Free some space."));
        }
        Ok(())
    }

    fn disk_free(&self) -> Result<u64> {
        let space = statvfs(self.directory().path())
            .map_err(|error| Error::internal("the free space of the data directory cannot be read", error))?;
        // The types of the fields differ between systems.
        #[allow(clippy::unnecessary_cast)]
        Ok(space.blocks_available() as u64 * space.fragment_size() as u64)
    }
}

/// Resident memory of this process: second field of `/proc/self/statm`, in pages (proc(5)).
fn resident_bytes() -> Result<u64> {
    let failed = |error: std::io::Error| Error::internal("the memory of the server cannot be read", error);
    let text = std::fs::read_to_string("/proc/self/statm").map_err(failed)?;
    let pages = text.split(' ').nth(1).and_then(|field| field.parse::<u64>().ok());
    let pages = pages.ok_or_else(|| failed(std::io::Error::other("/proc/self/statm has an unknown form")))?;
    let page = nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE).ok().flatten().unwrap_or(4096);
    Ok(pages * page.unsigned_abs())
}
