//! A TCP proxy before a server's socket, which behaves as a bad network does.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    os::unix::net::UnixStream,
    path::PathBuf,
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    thread,
};

/// What happens to each connection after so many bytes in one direction.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Trouble {
    None,
    /// What the server sends arrives no more.
    SilentDown(usize),
    /// What the client sends arrives no more.
    SilentUp(usize),
    /// The connection ends.
    Cut(usize),
    /// What the server sends goes on as this.
    Garbage(usize, &'static [u8]),
}

/// A proxy until the end of the test.
pub(crate) struct Proxy {
    port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    server: PathBuf,
    trouble: Trouble,
    /// Only connections whose startup message has this are in trouble.
    of: &'static str,
    /// Connections that were accepted so far.
    accepted: AtomicU32,
    /// As many of them as came first carry nothing any more.
    silent: AtomicU32,
    /// Never notified: what is held is held until the process ends.
    never: (Mutex<()>, Condvar),
}

impl Proxy {
    /// Before the socket of the server in `socket_dir`. Connections whose `application_name` has `of` in it are in trouble.
    pub(crate) fn start(socket_dir: &str, trouble: Trouble, of: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            server: PathBuf::from(socket_dir).join(".s.PGSQL.5432"),
            trouble,
            of,
            accepted: AtomicU32::new(0),
            silent: AtomicU32::new(0),
            never: (Mutex::new(()), Condvar::new()),
        });
        let serving = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let number = serving.accepted.fetch_add(1, Ordering::Relaxed);
                let shared = Arc::clone(&serving);
                thread::spawn(move || shared.serve(client, number));
            }
        });
        Self { port, shared }
    }

    /// The way to the server through it.
    pub(crate) fn url(&self) -> String {
        format!("postgres://latclinic@127.0.0.1:{}/latclinic", self.port)
    }

    /// From now on nothing arrives on any connection, and new ones are accepted and never answered.
    pub(crate) fn fall_silent(&self) {
        self.shared.silent.store(u32::MAX, Ordering::Relaxed);
    }

    /// From now on nothing arrives on the connections that there are; new ones are well.
    pub(crate) fn forget_connections(&self) {
        self.shared.silent.store(self.accepted(), Ordering::Relaxed);
    }

    pub(crate) fn accepted(&self) -> u32 {
        self.shared.accepted.load(Ordering::Relaxed)
    }
}

impl Shared {
    fn serve(self: Arc<Self>, mut client: TcpStream, number: u32) {
        self.hold_if_silent(number);
        let Ok(mut server) = UnixStream::connect(&self.server) else { return };
        // The whole startup message, which is short, arrives at once.
        let mut first = [0; 2048];
        let Ok(count) = client.read(&mut first) else { return };
        let is_meant = String::from_utf8_lossy(&first[..count]).contains(self.of);
        let trouble = if is_meant { self.trouble } else { Trouble::None };
        if server.write_all(&first[..count]).is_err() {
            return;
        }
        let (from_client, to_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
        let up = Arc::clone(&self);
        let (upward, downward) = match trouble {
            Trouble::SilentUp(after) => (Trouble::SilentUp(after.saturating_sub(count)), Trouble::None),
            other => (Trouble::None, other),
        };
        thread::spawn(move || up.pump(number, from_client, to_server, upward));
        self.pump(number, server, client, downward);
    }

    /// Hands bytes over until one side ends.
    fn pump(&self, number: u32, mut from: impl Read + Hangs, mut to: impl Write + Hangs, trouble: Trouble) {
        let mut buffer = vec![0; 64 * 1024];
        let mut passed = 0;
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            self.hold_if_silent(number);
            let left = |after: usize| after.saturating_sub(passed).min(count);
            let handed = match trouble {
                Trouble::None => count,
                Trouble::SilentDown(after) | Trouble::SilentUp(after) | Trouble::Cut(after) => left(after),
                // In place of what it sends at once, so that it begins where a message does.
                Trouble::Garbage(after, _) if passed + count > after => 0,
                Trouble::Garbage(..) => count,
            };
            if to.write_all(&buffer[..handed]).is_err() {
                break;
            }
            passed += handed;
            if handed == count {
                continue;
            }
            match trouble {
                Trouble::Cut(_) => break,
                Trouble::Garbage(_, bytes) => {
                    let _ = to.write_all(bytes);
                    self.hold();
                }
                _ => self.hold(),
            }
        }
        from.hang_up();
        to.hang_up();
    }

    fn hold_if_silent(&self, number: u32) {
        if number < self.silent.load(Ordering::Relaxed) {
            self.hold();
        }
    }

    fn hold(&self) {
        let mut held = self.never.0.lock().unwrap();
        loop {
            held = self.never.1.wait(held).unwrap();
        }
    }
}

trait Hangs {
    fn hang_up(&self);
}

impl Hangs for TcpStream {
    fn hang_up(&self) {
        let _ = self.shutdown(Shutdown::Both);
    }
}

impl Hangs for UnixStream {
    fn hang_up(&self) {
        let _ = self.shutdown(Shutdown::Both);
    }
}
