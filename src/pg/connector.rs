//! Where the target is and how to reach it.

use std::{fmt, path::Path, time::Duration};

use tokio_postgres::{Client, Config, NoTls, config::Host};

use super::error::{Error, Result};

/// How long a connection may take to be made unless the URL says otherwise.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How to reach a target database. Cheap to clone; holds the password and never shows it.
#[derive(Clone)]
pub struct Connector {
    config: Config,
    managed: bool,
}

impl Connector {
    /// The managed server behind a socket in `socket_dir`.
    pub fn managed(socket_dir: &Path, port: u16, user: &str, database: &str) -> Self {
        let mut config = Config::new();
        config.host_path(socket_dir).port(port).user(user).dbname(database).connect_timeout(CONNECT_TIMEOUT);
        Self { config, managed: true }
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
        let mut config = self.config.clone();
        config.application_name(format!("latclinic {purpose}"));
        let (client, connection) = config
            .connect(NoTls)
            .await
            .map_err(|cause| Error::from_server(format!("cannot connect to {}", self.place()), cause))?;
        tokio::spawn(async move {
            // The client's next call reports a broken connection; there is nobody to tell here.
            let _ = connection.await;
        });
        Ok(client)
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector").field("place", &self.place()).field("managed", &self.managed).finish()
    }
}
