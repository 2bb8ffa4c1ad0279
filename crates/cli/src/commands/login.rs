//! `polder login`, `polder logout`, `polder whoami`.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use clap::Args;
use types::{Code, Session};

use super::Context;
use crate::{Error, client::Client, session};

/// Signs in.
#[derive(Debug, Args)]
pub struct Login {
    /// Who signs in
    #[arg(long, value_name = "NAME")]
    user: String,
}

impl Login {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Error> {
        let password = read_password("Password: ")?;
        let session = Client::sign_in(&context.global, &self.user, &password).await?;
        session::save(&session)?;
        eprintln!("signed in to {} as {}", session.server, session.user);
        Ok(())
    }
}

pub(crate) async fn logout(context: &Context) -> Result<(), Error> {
    if session::load()?.is_some() {
        // The server's side ends first, so that a stolen copy of the file is worth nothing.
        match context.client()?.delete("session").await {
            Ok(_) | Err(Error::Server(_)) => {}
            Err(error) => eprintln!("warning: {error}; only the stored session was removed"),
        }
    }
    session::forget()
}

/// Shows who is signed in.
pub(crate) async fn whoami(context: &Context) -> Result<(), Error> {
    let session: Session = context.client()?.get("session").await?;
    // The token is a secret of the session.
    context.print(&Session { csrf_token: None, ..session })
}

/// Reads one line from standard input, without echo on a terminal.
pub(crate) fn read_password(prompt: &str) -> Result<String, Error> {
    let stdin = std::io::stdin();
    let failed = |error: std::io::Error| Error::Failed(Code::HostFile, format!("the password cannot be read: {error}"));
    let mut line = String::new();
    if stdin.is_terminal() {
        use nix::sys::termios::{LocalFlags, SetArg, tcgetattr, tcsetattr};
        eprint!("{prompt}");
        std::io::stderr().flush().map_err(failed)?;
        let before = tcgetattr(&stdin).map_err(|error| failed(error.into()))?;
        let mut silent = before.clone();
        silent.local_flags.remove(LocalFlags::ECHO);
        tcsetattr(&stdin, SetArg::TCSANOW, &silent).map_err(|error| failed(error.into()))?;
        let read = stdin.lock().read_line(&mut line);
        tcsetattr(&stdin, SetArg::TCSANOW, &before).map_err(|error| failed(error.into()))?;
        eprintln!();
        read.map_err(failed)?;
    } else {
        stdin.lock().read_line(&mut line).map_err(failed)?;
    }
    let password = line.trim_end_matches(['\r', '\n']).to_owned();
    if password.is_empty() {
        return Err(Error::Usage("no password on standard input".into()));
    }
    Ok(password)
}
