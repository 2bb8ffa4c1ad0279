//! The program of the host's conformance suite as a real process (see `host::conformance`), and the shim.

use std::io::Write;
use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.first().is_some_and(|arg| arg == "shim") {
        return host::shim::main(args.into_iter().skip(1));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be made");
    let code = runtime.block_on(run(&args.iter().map(String::as_str).collect::<Vec<_>>()));
    // Not waiting for connections that are still open.
    std::process::exit(code)
}

async fn run(args: &[&str]) -> i32 {
    let mut stop = signal(SignalKind::terminate()).expect("signals can be caught");
    match args {
        ["print", text] => print(text),
        ["fail", code, text] => {
            eprintln!("{text}");
            return code.parse().unwrap_or(1);
        }
        ["write", volume, text] => {
            std::fs::write(format!("{volume}/out.txt"), text).expect("the volume can be written")
        }
        ["read", volume] => match std::fs::read_to_string(format!("{volume}/out.txt")) {
            Ok(text) => print(&text),
            Err(_) => return 1,
        },
        ["cat", path] => print(&std::fs::read_to_string(path).expect("the file is there")),
        ["env"] => std::env::vars().for_each(|(name, value)| print(&format!("{name}={value}"))),
        ["hang"] => {
            stop.recv().await;
        }
        ["flaky"] => {
            eprintln!("flaky");
            return 3;
        }
        ["hog"] => {
            let memory = vec![1_u8; 200 << 20];
            print("ready");
            stop.recv().await;
            return i32::from(memory[memory.len() / 2]) - 1;
        }
        ["flood", lines] => {
            for number in 0..lines.parse::<u32>().expect("a number") {
                print(&format!("line {number}"));
            }
            print("ready");
            stop.recv().await;
        }
        [mode @ ("serve" | "stubborn"), address] => {
            let listener = tokio::net::TcpListener::bind(address).await.expect("the port is free");
            print("ready");
            let (crash, mut crashed) = tokio::sync::mpsc::channel(1);
            loop {
                tokio::select! {
                    Ok((stream, _)) = listener.accept() => { tokio::spawn(host::conformance::serve(stream, crash.clone())); }
                    Some(code) = crashed.recv() => {
                        eprintln!("crashing");
                        return code;
                    }
                    _ = stop.recv() => if *mode == "serve" { return 0 },
                }
            }
        }
        _ => return 2,
    }
    0
}

fn print(text: &str) {
    println!("{text}");
    std::io::stdout().flush().expect("standard output can be written");
}
