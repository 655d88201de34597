//! Where the target is and how to reach it.

use std::{error::Error as _, fmt, io, path::Path, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, UnixStream},
    task::JoinHandle,
};
use tokio_postgres::{Client, Config, Connection, NoTls, config::Host, tls::NoTlsStream};

use super::{
    error::{Error, Result},
    socket::Socket,
};

/// How long a connection may take to be made unless the URL says otherwise.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How to reach a target database. Cheap to clone; holds the password and never shows it.
#[derive(Clone)]
pub struct Connector {
    config: Arc<Config>,
    managed: bool,
    timeout: Option<Duration>,
    /// Why the password file gave no password.
    unread_passwords: Option<String>,
}

impl Connector {
    /// A server that is not ours. No `timeout` waits for as long as the system does.
    pub(super) fn new(config: Config, timeout: Option<Duration>, unread_passwords: Option<String>) -> Self {
        Self { config: Arc::new(config), managed: false, timeout, unread_passwords }
    }

    /// The managed server behind a socket in `socket_dir`.
    pub fn managed(socket_dir: &Path, port: u16, user: &str, database: &str) -> Self {
        let mut config = Config::new();
        config.host_path(socket_dir).port(port).user(user).dbname(database);
        Self { config: Arc::new(config), managed: true, timeout: Some(CONNECT_TIMEOUT), unread_passwords: None }
    }

    /// Whether this is latclinic's own server.
    pub fn is_managed(&self) -> bool {
        self.managed
    }

    /// Host, port and database, without user or password: `db.example:5432/shop`.
    pub fn place(&self) -> String {
        let host = match self.config.get_hosts().first() {
            Some(Host::Tcp(name)) if name.contains(':') => format!("[{name}]"),
            Some(Host::Tcp(name)) => name.clone(),
            #[cfg(unix)]
            Some(Host::Unix(path)) => path.display().to_string(),
            None => String::new(),
        };
        let port = self.config.get_ports().first().copied().unwrap_or(5432);
        format!("{host}:{port}/{}", self.database())
    }

    /// Name of the database.
    pub fn database(&self) -> &str {
        self.config.get_dbname().or(self.config.get_user()).unwrap_or("postgres")
    }

    /// Opens a connection whose `application_name` is `latclinic <purpose>`, driven by a task on the calling runtime.
    ///
    /// # Errors
    /// Says which place could not be reached and why; wrong passwords and unknown databases are told apart by the server.
    pub async fn connect(&self, purpose: &str) -> Result<Client> {
        self.connect_driven(purpose).await.map(|(client, _)| client)
    }

    /// [`connect`](Self::connect), with the task that drives the connection.
    pub(super) async fn connect_driven(&self, purpose: &str) -> Result<(Client, JoinHandle<()>)> {
        let config = self.config_for(purpose);
        match self.in_time(config.connect(NoTls)).await? {
            Ok((client, connection)) => Ok((client, tokio::spawn(drive(connection)))),
            Err(cause) => Err(self.refusal(cause).await),
        }
    }

    /// Opens a socket to the server and nothing more.
    ///
    /// # Errors
    /// As of [`connect`](Self::connect), where the place cannot be reached.
    pub(super) async fn open_socket(&self) -> Result<Socket> {
        let port = self.port();
        let attempt = async {
            Ok(match (self.config.get_hosts().first(), self.config.get_hostaddrs().first()) {
                (Some(Host::Unix(folder)), _) => {
                    Socket::Unix(UnixStream::connect(folder.join(format!(".s.PGSQL.{port}"))).await?)
                }
                (_, Some(address)) => tcp(TcpStream::connect((*address, port)).await?)?,
                (Some(Host::Tcp(name)), None) => tcp(TcpStream::connect((name.as_str(), port)).await?)?,
                (None, None) => return Err(io::ErrorKind::NotFound.into()),
            })
        };
        match self.in_time(attempt).await? {
            Ok(socket) => Ok(socket),
            Err(cause) => Err(match self.unreachable(&cause).await {
                Some(error) => error,
                None => Error::new(format!("cannot connect to {}: {cause}", self.place())),
            }),
        }
    }

    /// Signs in over `stream`, a socket of [`open_socket`](Self::open_socket) or what shows one.
    ///
    /// # Errors
    /// As of [`connect`](Self::connect), where the server refuses.
    pub(super) async fn sign_in<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        purpose: &str,
        stream: S,
    ) -> Result<(Client, Connection<S, NoTlsStream>)> {
        let config = self.config_for(purpose);
        match self.in_time(config.connect_raw(stream, NoTls)).await? {
            Ok(connected) => Ok(connected),
            Err(cause) => Err(self.refusal(cause).await),
        }
    }

    fn config_for(&self, purpose: &str) -> Config {
        let mut config = Config::clone(&self.config);
        config.application_name(format!("latclinic {purpose}"));
        config
    }

    /// Gives an attempt to connect the time it may take. Around all of it, not only the socket: what accepts and never answers
    /// is no PostgreSQL, but it is waited for.
    async fn in_time<T>(&self, attempt: impl Future<Output = T>) -> Result<T> {
        let Some(limit) = self.timeout else { return Ok(attempt.await) };
        tokio::time::timeout(limit, attempt).await.map_err(|_| {
            let seconds = limit.as_secs();
            Error::new(format!("cannot connect to {}: no answer within {seconds} s", self.place()))
                .with_hint("is the host right, and does a firewall let you through? connect_timeout=N waits longer")
        })
    }

    fn port(&self) -> u16 {
        self.config.get_ports().first().copied().unwrap_or(5432)
    }

    /// Why no connection was made, in words, and what to look at.
    async fn refusal(&self, cause: tokio_postgres::Error) -> Error {
        let place = self.place();
        let doing = format!("cannot connect to {place}");
        if let Some(code) = cause.code().map(|code| code.code().to_owned()) {
            let error = Error::from_server(doing, cause);
            return match self.advice(&code) {
                Some(advice) => error.with_hint(advice),
                None => error,
            };
        }
        if cause.to_string().contains("password missing")
            || cause.source().is_some_and(|inner| inner.to_string().contains("password missing"))
        {
            return Error::new(format!("{doing}: the server wants a password")).with_hint(self.password_advice());
        }
        match cause.source().and_then(|inner| inner.downcast_ref::<io::Error>()) {
            Some(io) => self.unreachable(io).await.unwrap_or_else(|| Error::from_server(doing, cause)),
            None => Error::from_server(doing, cause),
        }
    }

    /// What an error of the socket means, where that is known.
    async fn unreachable(&self, cause: &io::Error) -> Option<Error> {
        let doing = format!("cannot connect to {}", self.place());
        let (socket, port) = (self.socket(), self.port());
        let (words, advice) = match (cause.kind(), socket) {
            (io::ErrorKind::NotFound, Some(folder)) => (
                format!("no server has a socket at {}/.s.PGSQL.{port}", folder.display()),
                "is the server running, and are the folder and the port right?".to_owned(),
            ),
            (io::ErrorKind::PermissionDenied, Some(folder)) => (
                format!("this user may not use the socket in {}", folder.display()),
                "run as a user who may".to_owned(),
            ),
            (io::ErrorKind::ConnectionRefused, _) => {
                ("nothing listens there".to_owned(), "is the server running, and is the port right?".to_owned())
            }
            (_, None) if self.is_unknown_host(port).await => (
                "no host has that name".to_owned(),
                "is the name right, and does this machine's DNS know it?".to_owned(),
            ),
            _ => return None,
        };
        Some(Error::new(format!("{doing}: {words}: {cause}")).with_hint(advice))
    }

    fn advice(&self, sqlstate: &str) -> Option<String> {
        let user = self.config.get_user().unwrap_or_default();
        Some(match sqlstate {
            "28P01" => format!("the server refused the password of user {user}; {}", self.password_advice()),
            "28000" => format!(
                "user {user} may be missing, or pg_hba.conf may not let it in; a server that wants TLS cannot be used yet"
            ),
            "3D000" => format!("create it (createdb {}), or name another one", self.database()),
            "53300" => "use fewer clients, end idle connections, or raise max_connections".to_owned(),
            "57P03" => "the server is starting or stopping: try again in a moment".to_owned(),
            _ => return None,
        })
    }

    fn password_advice(&self) -> String {
        let advice = "give it in PGPASSWORD, ~/.pgpass or the URL";
        match &self.unread_passwords {
            Some(why) => format!("{advice}; {why}"),
            None => advice.to_owned(),
        }
    }

    fn socket(&self) -> Option<&Path> {
        match self.config.get_hosts().first() {
            #[cfg(unix)]
            Some(Host::Unix(path)) => Some(path),
            _ => None,
        }
    }

    async fn is_unknown_host(&self, port: u16) -> bool {
        match self.config.get_hosts().first() {
            Some(Host::Tcp(name)) if self.config.get_hostaddrs().is_empty() => {
                tokio::net::lookup_host((name.as_str(), port)).await.is_err()
            }
            _ => false,
        }
    }
}

fn tcp(stream: TcpStream) -> io::Result<Socket> {
    stream.set_nodelay(true)?;
    Ok(Socket::Tcp(stream))
}

async fn drive(connection: Connection<tokio_postgres::Socket, NoTlsStream>) {
    // The client's next call reports a broken connection; there is nobody to tell here.
    let _ = connection.await;
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector").field("place", &self.place()).field("managed", &self.managed).finish()
    }
}
