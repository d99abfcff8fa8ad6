//! `portreeve-host apply`.

use super::Global;
use super::failure::{Code, Failure};
use super::machine::Machine;
use super::run::Follow;
use portreeve_host::apply::{self, Half, Listener, serve};
use portreeve_host::log;
use portreeve_host::paths::Paths;
use portreeve_host::world::World;
use rustix::net::sockopt::socket_acceptconn;
use std::fs::{self, DirBuilder, Permissions};
use std::io::{self, ErrorKind, stdin};
use std::os::fd::AsFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::Arc;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only make the files what the last document says, as they have to be before sshd starts
    #[arg(long)]
    boot: bool,
    #[command(flatten)]
    follow: Follow,
}

pub(crate) fn run(global: &Global, args: &Args) -> Result<(), Failure> {
    args.follow.begin()?;
    let paths = global.paths();
    let machine = Arc::new(Machine::new());
    let mut half = Half::new(paths.clone(), apply::Machine::below(&paths));
    // Whoever cannot begin as the last document says goes on nevertheless: a next document may mend it.
    let begun = half.start(machine.now()).map_err(Failure::plain);
    if args.boot {
        return begun;
    }
    if let Err(failure) = begun {
        failure.print();
    }
    let failed = |error| Failure::plain(format!("{}: {error}", paths.apply_socket().display()));
    let socket = match given().map_err(failed)? {
        Some(socket) => socket,
        None => listen(&paths.apply_socket())?,
    };
    let listener = Listener {
        socket,
        peer: peer(&paths),
    };
    let (world, follower) = (machine.clone(), paths.clone());
    std::thread::spawn(move || log::follow(&follower, &*world));
    serve(&listener, &mut half, || machine.now()).map_err(failed)
}

/// The socket that systemd listens at for us, and hands over as standard input (systemd.exec(5), `StandardInput=socket`).
fn given() -> io::Result<Option<UnixListener>> {
    let stdin = stdin();
    match socket_acceptconn(stdin.as_fd()) {
        Ok(true) => Ok(Some(stdin.as_fd().try_clone_to_owned()?.into())),
        _ => Ok(None),
    }
}

/// A socket of our own. Everybody may connect: the kernel says who it is, and that is what counts.
fn listen(path: &Path) -> Result<UnixListener, Failure> {
    let failed = |error| Failure::plain(format!("{}: {error}", path.display()));
    if UnixStream::connect(path).is_ok() {
        let text = format!("{}: somebody listens there already", path.display());
        return Err(Failure::new(Code::Conflict, text)
            .hint("this half is running; see systemctl status portreeve-host-apply"));
    }
    if let Some(folder) = path.parent() {
        DirBuilder::new()
            .recursive(true)
            .mode(0o755)
            .create(folder)
            .map_err(failed)?;
    }
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    let socket = UnixListener::bind(path).map_err(failed)?;
    fs::set_permissions(path, Permissions::from_mode(0o666)).map_err(failed)?;
    Ok(socket)
}

/// The half on the network is whoever owns its folder: systemd gives it to an account that exists only while that runs.
fn peer(paths: &Paths) -> Option<u32> {
    Some(fs::metadata(paths.net_state()).ok()?.uid())
}
