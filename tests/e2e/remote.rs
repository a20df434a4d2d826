//! An engine that is not at its usual place: reached over TCP, with published ports.

use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::thread;

use crate::support::{has_docker, proxyproof};

/// Forwards a port of loopback to the engine's socket, as long as the test's process lives.
fn engine_over_tcp() -> io::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            thread::spawn(move || forward(client));
        }
    });
    Ok(format!("tcp://{address}"))
}

fn forward(client: TcpStream) -> io::Result<()> {
    let engine = UnixStream::connect("/var/run/docker.sock")?;
    let (mut from_client, mut to_engine) = (client.try_clone()?, engine.try_clone()?);
    let upwards = thread::spawn(move || {
        let copied = io::copy(&mut from_client, &mut to_engine);
        // The lifeline's end has to go through.
        let _ = to_engine.shutdown(Shutdown::Write);
        copied
    });
    let (mut from_engine, mut to_client) = (engine, client);
    io::copy(&mut from_engine, &mut to_client)?;
    to_client.shutdown(Shutdown::Both)?;
    upwards.join().unwrap_or(Ok(0)).map(drop)
}

#[test]
fn an_engine_over_tcp_gives_the_same_verdict() {
    if !has_docker() {
        return;
    }
    let engine = engine_over_tcp().expect("a forwarded engine");
    let output = proxyproof()
        .env("DOCKER_HOST", engine)
        .args(["check", "fixtures/guide/nginx.conf", "--nginx", "debian:trixie", "--prometheus", "debian:trixie"])
        .output()
        .expect("the program runs");
    let report = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{report}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(report.contains(": PASS"), "{report}");
}
