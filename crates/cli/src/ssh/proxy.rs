//! `portreeve ssh proxy`: the connection between OpenSSH and a host, directly or through the host that leads there.

use super::certify::{self, Ask};
use super::hosts::Hosts;
use super::place::{Place, WHOLE_CONFIG};
use crate::failure::{Code, Failure};
use crate::login::Way;
use crate::{Global, environment, time};
use rustix::net::sockopt::set_socket_keepalive;
use ssh_key::Certificate;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write, stdin, stdout};
use std::net::{Shutdown, TcpStream};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::thread;

/// How many hosts lead to one another so far; more than a few are a circle.
const HOPS: &str = "PORTREEVE_SSH_HOPS";
const MAX_HOPS: u8 = 8;

/// Where OpenSSH wants to go.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The account there
    user: String,
    /// The host
    host: String,
    /// Its port
    port: u16,
}

pub(super) fn run(global: &Global, args: &Args) -> Result<(), Failure> {
    let mut place = Place::of(global)?;
    let (certificate, _) = certify::ready(&mut place, Ask::Person(Way::best()))?;
    tell_of_other_names(&certificate, &args.user);
    let hosts = Hosts::kept(&place, time::now());
    let host = hosts.as_ref().and_then(|hosts| hosts.find(&args.host));
    match host.and_then(|host| host.bastion.as_deref()) {
        Some(bastion) if !bastion.eq_ignore_ascii_case(&args.host) => {
            certify::write_files(&place, &certificate)?;
            through(&place, bastion, args)
        }
        _ => directly(args),
    }
}

/// A host says only that permission is denied.
fn tell_of_other_names(certificate: &Certificate, user: &str) {
    let principals = certificate.valid_principals();
    if !principals.iter().any(|principal| principal == user) {
        eprintln!(
            "portreeve: your certificate names {}; {user} has to let one of them in",
            super::names(principals)
        );
    }
}

/// Becomes an `ssh` to the host that leads there, which has a certificate of the same kind.
fn through(place: &Place, bastion: &str, args: &Args) -> Result<(), Failure> {
    let hops = environment::var(HOPS).and_then(|hops| hops.parse().ok());
    let hops = hops.unwrap_or(0u8);
    if hops >= MAX_HOPS {
        return Err(Failure::plain(format!(
            "the way to {} is a circle: more than {MAX_HOPS} hosts lead to one another",
            args.host
        )));
    }
    let error = Command::new("ssh")
        .arg("-F")
        .arg(place.path(WHOLE_CONFIG))
        .args(["-W", &format!("[{}]:{}", args.host, args.port), "--"])
        .arg(bastion)
        .env(HOPS, (hops + 1).to_string())
        .exec();
    Err(super::no_ssh(&error))
}

fn directly(args: &Args) -> Result<(), Failure> {
    let (host, port) = (args.host.as_str(), args.port);
    let stream = TcpStream::connect((host, port)).map_err(|error| {
        Failure::new(
            Code::Unreachable,
            format!("{host} cannot be reached on port {port}: {error}"),
        )
    })?;
    let failed = |error: io::Error| Failure::plain(format!("the connection to {host}: {error}"));
    // As ssh sets them for its own connections.
    stream.set_nodelay(true).map_err(failed)?;
    set_socket_keepalive(&stream, true).map_err(|error| failed(error.into()))?;
    join(stream).map_err(failed)
}

/// Carries bytes both ways until both ends have said all. The end of one way is passed on, the other goes on.
fn join(stream: TcpStream) -> io::Result<()> {
    let mut to_host = stream.try_clone()?;
    // Not the buffered ones of the standard library: what has come is passed on at once.
    let mut from_ssh = File::from(stdin().as_fd().try_clone_to_owned()?);
    let up = thread::spawn(move || {
        let done = carry(&mut from_ssh, &mut to_host);
        let _ = to_host.shutdown(Shutdown::Write);
        done
    });
    let (mut from_host, mut to_ssh) = (stream, File::from(stdout().as_fd().try_clone_to_owned()?));
    // Where either end has gone, whoever is left sees that by the end of this process.
    carry(&mut from_host, &mut to_ssh)?;
    end(to_ssh)?;
    // A host that takes no more is no failure once it has said all.
    let _ = up.join();
    Ok(())
}

/// Carries bytes until there are no more. Not `io::copy`: between a socket and a pipe that is `splice`, which locks the pipe
/// while it waits for the socket, so that whoever is at the other end of the pipe waits, too.
fn carry(from: &mut impl Read, to: &mut impl Write) -> io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = match from.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            read => read?,
        };
        to.write_all(buffer.get(..read).unwrap_or_default())?;
    }
}

/// Closes standard output, however it was given to this process.
fn end(to_ssh: File) -> io::Result<()> {
    // Where it is one socket with standard input, closing would not end it.
    let _ = rustix::net::shutdown(&to_ssh, rustix::net::Shutdown::Write);
    drop(to_ssh);
    let nowhere = File::options().write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdout(&nowhere)?;
    Ok(())
}
