//! Resolving programs, arguments and files.

use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use workload::{Arg, Content, Piece, Placement, Program, Service, VolumeSpec};
use zeroize::Zeroizing;

use super::LocalHost;
use crate::layout::{NodeDirectory, below, check_name, make_directory, remove, write_file};
use crate::{Error, Isolation, Limits, Result, Sandbox};

/// How many processes and threads other people's code may have.
const PROCESSES: u64 = 1024;

/// A program with everything that a process needs.
pub(super) struct PreparedProgram {
    pub args: Vec<String>,
    pub env: BTreeMap<String, String>,
    /// The directory with its secrets, if it has any.
    pub secrets: Option<PathBuf>,
}

impl LocalHost {
    /// Where a program is.
    pub(super) fn find_program(&self, name: &str) -> Result<PathBuf> {
        let path = match (self.config.programs.get(name), name.split_once('/')) {
            (Some(path), _) => path.clone(),
            (None, Some((version, program))) => {
                let (directory, version) = match version.strip_prefix("chaincode:") {
                    Some(build) => (&self.config.builds, build),
                    None => (&self.config.engines, version),
                };
                check_name("engine", version)?;
                check_name("program", program)?;
                directory.join(version).join("bin").join(program)
            }
            (None, None) => {
                check_name("program", name)?;
                let directories = &self.config.program_directories;
                directories.iter().map(|directory| directory.join(name)).find(|path| path.exists()).ok_or_else(
                    || Error::ProgramUnknown {
                        name: name.into(),
                        looked_for: directories
                            .iter()
                            .map(|directory| directory.join(name).display().to_string())
                            .collect::<Vec<_>>()
                            .join(", "),
                    },
                )?
            }
        };
        let refuse = |reason: &str| Err(Error::Program { path: path.clone(), reason: reason.into() });
        match std::fs::metadata(&path) {
            Err(error) => refuse(&error.to_string()),
            Ok(metadata) if !metadata.is_file() => refuse("it is not a file"),
            Ok(_) if nix::unistd::access(&path, nix::unistd::AccessFlags::X_OK).is_err() => {
                refuse("it is not executable")
            }
            Ok(_) => Ok(path),
        }
    }

    /// What a service of other people's code is given: its volumes, its files, and its program to read.
    pub(super) fn sandbox(
        &self,
        service: &Service,
        program: &Path,
        directory: &NodeDirectory,
        secrets: Option<&Path>,
    ) -> Result<Option<Sandbox>> {
        if !service.program.foreign {
            return Ok(None);
        }
        let isolation = Isolation::of_this_machine(self.config.accept_no_sandbox)?;
        let mut sandbox = Sandbox::new(isolation, &directory.0.display().to_string())
            .hiding(&self.config.directory)
            .hiding(&self.config.runtime_directory)
            .hiding(&self.config.builds)
            .limited(Limits { processes: Some(PROCESSES), ..Limits::default() });
        // `bin/PROGRAM` of a build stands on what lies beside `bin`.
        let folder = program.parent().unwrap_or(program);
        let is_build = folder.starts_with(&self.config.builds);
        sandbox = sandbox.reading(if is_build { folder.parent().unwrap_or(folder) } else { folder });
        for path in
            [Some(directory.files("service").as_path()), secrets].into_iter().flatten().filter(|path| path.exists())
        {
            sandbox.own(path)?;
            sandbox = sandbox.reading(path);
        }
        for volume in &service.volumes {
            let path = directory.volume(&volume.name)?;
            sandbox.own(&path)?;
            sandbox = sandbox.writing(path);
        }
        Ok(Some(sandbox))
    }

    /// Makes volumes and files and resolves arguments. `kind` is `service` or `job`.
    pub(super) async fn prepare(
        &self,
        kind: &str,
        node: &str,
        program: &Program,
        volumes: &[VolumeSpec],
        placement: &Placement,
    ) -> Result<PreparedProgram> {
        let directory = self.directory(node)?;
        if program.foreign && volumes.iter().any(|volume| !volume.files.is_empty()) {
            // Written by the server, they would go wherever a link that the program has left there points to.
            return Err(Error::Plan("other people's code has no files in its volumes".into()));
        }
        for volume in volumes {
            let path = directory.volume(&volume.name)?;
            match (volume.emptied, kind) {
                (true, "job") => remove(&path)?,
                (true, _) => return Err(Error::Plan(format!("`{}` is a service's: it stays", volume.name))),
                (false, _) => {}
            }
            make_directory(&path)?;
            for file in &volume.files {
                let path = below(&path, &file.path)?;
                path.parent().map_or(Ok(()), make_directory)?;
                write_file(&path, file.text.as_bytes())?;
                if file.executable {
                    let mode = std::fs::Permissions::from_mode(0o755);
                    std::fs::set_permissions(&path, mode).map_err(|error| Error::file(&path, error))?;
                }
            }
        }
        let mut files = BTreeMap::new();
        let secrets = self.secrets_directory(node).join(kind);
        let mut has_secrets = false;
        for file in &program.files {
            check_name("file", &file.name)?;
            let path = match &file.content {
                Content::Text(text) => {
                    make_directory(&directory.files(kind))?;
                    let path = directory.files(kind).join(&file.name);
                    write_file(&path, text.as_bytes())?;
                    path
                }
                Content::Secret(reference) => {
                    has_secrets = true;
                    write_secret(&secrets, &file.name, &self.secrets.resolve(reference).await?)?
                }
                Content::Pieces(pieces) => {
                    has_secrets = true;
                    write_secret(&secrets, &file.name, &self.assemble(pieces).await?)?
                }
            };
            files.insert(file.name.clone(), path);
        }
        let resolver = Resolver {
            node,
            directory: &directory,
            placement,
            volumes,
            files: &files,
            secrets: &secrets,
            engines: &self.config.engines,
        };
        let mut env = self.config.environment.clone();
        for (name, value) in &program.env {
            env.insert(name.clone(), resolver.resolve(value)?);
        }
        let args = program.args.iter().map(|arg| resolver.resolve(arg)).collect::<Result<_>>()?;
        Ok(PreparedProgram { args, env, secrets: has_secrets.then_some(secrets) })
    }

    async fn assemble(&self, pieces: &[Piece]) -> Result<Zeroizing<Vec<u8>>> {
        let mut content = Zeroizing::new(Vec::new());
        for piece in pieces {
            match piece {
                Piece::Text(text) => content.extend_from_slice(text.as_bytes()),
                Piece::Secret(reference) => content.extend_from_slice(&self.secrets.resolve(reference).await?),
            }
        }
        Ok(content)
    }
}

fn write_secret(directory: &Path, name: &str, content: &[u8]) -> Result<PathBuf> {
    make_directory(directory)?;
    let path = directory.join(name);
    let write = || {
        let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path)?;
        file.write_all(content)
    };
    write().map_err(|error| Error::file(&path, error))?;
    Ok(path)
}

struct Resolver<'a> {
    node: &'a str,
    directory: &'a NodeDirectory,
    placement: &'a Placement,
    volumes: &'a [VolumeSpec],
    files: &'a BTreeMap<String, PathBuf>,
    secrets: &'a Path,
    engines: &'a Path,
}

impl Resolver<'_> {
    fn resolve(&self, arg: &Arg) -> Result<String> {
        match arg {
            Arg::Text(text) => Ok(text.clone()),
            Arg::Listen(port) => match self.placement.port(port) {
                Some(address) => Ok(address.inside.to_string()),
                None => Err(Error::PortUnknown { node: self.node.into(), port: port.clone() }),
            },
            Arg::Volume(name) if self.volumes.iter().any(|volume| volume.name == *name) => {
                text(self.directory.volume(name)?)
            }
            Arg::Volume(name) => Err(Error::Plan(format!("no volume `{name}` is declared"))),
            Arg::File(name) => match self.files.get(name) {
                Some(path) => text(path.clone()),
                None => Err(Error::Plan(format!("no file `{name}` is declared"))),
            },
            Arg::Secrets => text(self.secrets.into()),
            Arg::Engine(path) => text(below(self.engines, path)?),
            Arg::In(volume, path) if self.volumes.iter().any(|own| own.name == *volume) => {
                text(below(&self.directory.volume(volume)?, path)?)
            }
            Arg::In(volume, _) => Err(Error::Plan(format!("no volume `{volume}` is declared"))),
            Arg::Joined(parts) => parts.iter().map(|part| self.resolve(part)).collect(),
        }
    }
}

fn text(path: PathBuf) -> Result<String> {
    let absolute = std::path::absolute(&path).map_err(|error| Error::file(&path, error))?;
    absolute
        .into_os_string()
        .into_string()
        .map_err(|path| Error::Plan(format!("the path {} is not UTF-8", path.display())))
}
