//! An engine that creates a container after the run has ended which asked for it: nobody waits for the answer any more,
//! and the request is carried out all the same. (Those of nginx and Prometheus it refuses by then: they join the first
//! container of their Pod, which is gone.)

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;

use rustix::process::Signal;

use crate::cleanup::GUIDE;
use crate::engine::in_the_engine;
use crate::kills::GONE_WITHIN;
use crate::running::PATIENCE;
use crate::stage::{Stage, nothing_within};
use crate::support::has_docker;

/// How the requests begin of which one comes late.
const CREATE: &str = "POST /containers/create?name=proxyproof-";

#[test]
fn what_the_engine_creates_after_a_kill_is_removed() {
    if !has_docker() {
        return;
    }
    let slow = SlowEngine::start().expect("a slow engine");
    let stage = Stage::new().with("DOCKER_HOST", &slow.host);
    let running = stage.start(GUIDE);
    slow.held.recv_timeout(PATIENCE).expect("a request for the Pod's first container");
    let ended = running.kill();
    // All else is removed before it comes.
    assert_eq!(nothing_within(GONE_WITHIN, || in_the_engine(&ended.run.name())), Vec::<String>::new());
    slow.release.send(()).expect("the request is held");
    assert_eq!(slow.answer.recv_timeout(PATIENCE).as_deref(), Ok("HTTP/1.1 201 Created"));
    assert_eq!(nothing_within(GONE_WITHIN, || stage.left_by(ended.run)), Vec::<String>::new());
}

#[test]
fn what_the_engine_creates_after_an_interruption_is_waited_for() {
    if !has_docker() {
        return;
    }
    let slow = SlowEngine::start().expect("a slow engine");
    let stage = Stage::new().with("DOCKER_HOST", &slow.host);
    let running = stage.start(GUIDE);
    slow.held.recv_timeout(PATIENCE).expect("a request for the Pod's first container");
    running.signal(Signal::INT);
    assert_eq!(nothing_within(GONE_WITHIN, || in_the_engine(&running.run().name())), Vec::<String>::new());
    slow.release.send(()).expect("the request is held");
    let ended = running.end();
    assert_eq!(slow.answer.recv_timeout(PATIENCE).as_deref(), Ok("HTTP/1.1 201 Created"));
    assert_eq!(ended.code(), 130, "{ended:#?}");
    assert_eq!(stage.left_by(ended.run), Vec::<String>::new());
}

/// The engine over TCP, which holds the request for the Pod's first container back.
struct SlowEngine {
    host: String,
    /// Tells that the request is held.
    held: Receiver<()>,
    /// Lets it go on.
    release: Sender<()>,
    /// Tells what the engine answered.
    answer: Receiver<String>,
}

/// The other ends.
struct Gate {
    held: Sender<()>,
    release: Receiver<()>,
    answer: Sender<String>,
}

impl SlowEngine {
    fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let host = format!("tcp://{}", listener.local_addr()?);
        let ((held, is_held), (release, released), (answer, answered)) = (channel(), channel(), channel());
        let gate = Arc::new(Mutex::new(Gate { held, release: released, answer }));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let gate = Arc::clone(&gate);
                thread::spawn(move || serve(client, &gate));
            }
        });
        Ok(Self { host, held: is_held, release, answer: answered })
    }
}

fn serve(mut client: TcpStream, gate: &Mutex<Gate>) -> io::Result<()> {
    let mut engine = UnixStream::connect("/var/run/docker.sock")?;
    let mut request = vec![0; 1 << 16];
    let length = client.read(&mut request)?;
    request.truncate(length);
    let line = String::from_utf8_lossy(&request);
    if line.starts_with(CREATE) && line.lines().next().is_some_and(|line| line.contains("-lifeline")) {
        read_body(&mut client, &mut request)?;
        return hold(&request, engine, &gate.lock().expect("nobody panics with it"));
    }
    engine.write_all(&request)?;
    let (mut from_client, mut to_engine) = (client.try_clone()?, engine.try_clone()?);
    thread::spawn(move || {
        let _ = io::copy(&mut from_client, &mut to_engine);
        // The lifeline's end has to go through.
        to_engine.shutdown(Shutdown::Write)
    });
    io::copy(&mut engine, &mut client)?;
    client.shutdown(Shutdown::Both)
}

/// The whole of a request whose head has arrived.
fn read_body(client: &mut TcpStream, request: &mut Vec<u8>) -> io::Result<()> {
    let text = String::from_utf8_lossy(request).into_owned();
    let (head, begun) = text.split_once("\r\n\r\n").expect("a head");
    let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let missing = length.unwrap_or(0_usize).saturating_sub(begun.len());
    let mut rest = vec![0; missing];
    client.read_exact(&mut rest)?;
    request.extend(rest);
    Ok(())
}

/// Passes the request on when it may go on, whether or not somebody still waits for the answer.
fn hold(request: &[u8], mut engine: UnixStream, gate: &Gate) -> io::Result<()> {
    gate.held.send(()).map_err(io::Error::other)?;
    gate.release.recv().map_err(io::Error::other)?;
    engine.write_all(request)?;
    let mut answer = vec![0; 1024];
    let length = engine.read(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer[..length]).lines().next().unwrap_or_default().to_owned();
    gate.answer.send(answer).map_err(io::Error::other)
}
