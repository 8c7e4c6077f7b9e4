//! One PostgreSQL server: its own folder, no network, no fsync. A keeper process ends it and removes the folder as soon
//! as the program that started it is gone, whether that one returned, panicked or was killed.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};

const MISSING: &str = "these tests need a PostgreSQL server: `cargo xtask test --only needs` installs it \
                       (Debian: apt-get install postgresql)";

/// Reads until its input ends, which is when the program that holds the other end is gone.
const KEEPER: &str = "trap '' INT TERM HUP; cat; folder=$1; shift; \"$@\" >/dev/null 2>&1; rm -rf \"$folder\"";

/// Many small tests at once, nothing to survive a power cut. Texts are compared as a Chinese installation would.
const SETTINGS: &str = "-c listen_addresses= -c fsync=off -c full_page_writes=off -c max_connections=400 \
                        -c shared_buffers=64MB -c max_parallel_workers_per_gather=0";

pub(crate) struct Server {
    folder: PathBuf,
    programs: PathBuf,
    owner: Owner,
    /// Of a standby: how its primary knows it.
    name: Option<String>,
    /// Its standard input closes with this program.
    _keeper: Child,
}

impl Server {
    pub(crate) fn start() -> Result<Self> {
        let server = Self::prepare()?;
        let rules = "--username=postgres --auth=trust --encoding=UTF8 --locale=C.UTF-8 --locale-provider=icu --icu-locale=zh-CN \
             --no-sync --no-instructions";
        let mut init = server.owner.command(&server.program("initdb"));
        init.extend(["--pgdata".to_owned(), server.data().display().to_string()]);
        init.extend(rules.split_whitespace().map(str::to_owned));
        server.run(&init)?;
        server.up()?;
        Ok(server)
    }

    /// A server that follows this one as its streaming standby, under a name.
    pub(crate) fn standby(&self, name: &str) -> Result<Self> {
        let standby = Self { name: Some(name.to_owned()), ..Self::prepare()? };
        let mut copy = self.owner.command(&self.program("pg_basebackup"));
        copy.extend(["--pgdata".to_owned(), standby.data().display().to_string()]);
        copy.extend(["--host".to_owned(), self.folder.display().to_string()]);
        let how = "--username=postgres --write-recovery-conf --checkpoint=fast --no-sync";
        copy.extend(how.split_whitespace().map(str::to_owned));
        standby.run(&copy)?;
        standby.up()?;
        Ok(standby)
    }

    /// An empty folder for a server, with the keeper that ends what comes to run in it.
    fn prepare() -> Result<Self> {
        let programs = programs().context(MISSING)?;
        let folder = tempfile::Builder::new().prefix("rectify-postgres-").tempdir()?.keep();
        let data = folder.join("data");
        fs::create_dir(&data)?;
        fs::set_permissions(&data, Permissions::from_mode(0o700))?;
        let owner = Owner::find()?;
        owner.give(&folder, &data)?;
        // The keeper comes first: what follows is cleaned up even if this program is killed in the middle of it.
        let keeper = Command::new("sh")
            .args(["-c", KEEPER, "sh"])
            .arg(&folder)
            .args(controls(&owner, &programs, &data, &["--mode", "immediate", "stop"]))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("sh")?;
        Ok(Self { folder, programs, owner, name: None, _keeper: keeper })
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Starts it, and waits until it answers.
    pub(crate) fn up(&self) -> Result<()> {
        let mut options = format!("-k {} {SETTINGS}", self.folder.display());
        if let Some(name) = &self.name {
            options.push_str(&format!(" -c cluster_name={name}"));
        }
        let log = self.data().join("server.log").display().to_string();
        self.control(&["--log", &log, "--options", &options, "start"])
    }

    /// Has its own control program do something.
    pub(crate) fn control(&self, more: &[&str]) -> Result<()> {
        self.run(&controls(&self.owner, &self.programs, &self.data(), more))
    }

    /// Runs one of its programs to the end.
    fn run(&self, command: &[String]) -> Result<()> {
        let (program, arguments) = command.split_first().context("a program")?;
        let mut command = Command::new(program);
        command.args(arguments).current_dir(&self.folder).stdin(Stdio::null()).stdout(Stdio::null());
        // A file and no pipe: the server that is started would hold it open.
        let said = self.folder.join("said");
        let status = command.stderr(fs::File::create(&said)?).status().with_context(|| program.clone())?;
        if status.success() {
            return Ok(());
        }
        let why = [said, self.folder.join("data/server.log")].map(|path| fs::read_to_string(path).unwrap_or_default());
        bail!("PostgreSQL does not start ({status}): {}\n{MISSING}", why.concat())
    }

    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.programs.join(name)
    }

    /// The address of one of its databases: by a socket in its folder.
    pub(crate) fn address(&self, database: &str) -> String {
        format!("postgres:///{database}?host={}&user=postgres", self.folder.display())
    }

    /// As when the program ends: says which folder is to be gone then, and waits for the keeper to be done.
    #[cfg(test)]
    pub(crate) fn let_go(mut self) -> PathBuf {
        drop(self._keeper.stdin.take());
        drop(self._keeper.wait());
        self.folder
    }
}

fn controls(owner: &Owner, programs: &Path, data: &Path, more: &[&str]) -> Vec<String> {
    let mut all = owner.command(&programs.join("pg_ctl"));
    all.extend(["--pgdata".to_owned(), data.display().to_string(), "--silent".to_owned(), "-w".to_owned()]);
    all.extend(more.iter().map(|&argument| argument.to_owned()));
    all
}

/// Whom the server runs as: PostgreSQL refuses to run as root.
struct Owner {
    /// User and group.
    ids: Option<(String, String)>,
}

impl Owner {
    fn find() -> Result<Self> {
        if id("-u", None)? != "0" {
            return Ok(Self { ids: None });
        }
        for name in ["postgres", "nobody"] {
            if let (Ok(user), Ok(group)) = (id("-u", Some(name)), id("-g", Some(name))) {
                return Ok(Self { ids: Some((user, group)) });
            }
        }
        bail!("PostgreSQL does not run as root, and there is neither a user postgres nor a user nobody")
    }

    fn give(&self, folder: &Path, data: &Path) -> Result<()> {
        if let Some((user, group)) = &self.ids {
            fs::set_permissions(folder, Permissions::from_mode(0o755))?;
            let ids = (user.parse()?, group.parse()?);
            for path in [folder, data] {
                std::os::unix::fs::chown(path, Some(ids.0), Some(ids.1))?;
            }
        }
        Ok(())
    }

    fn command(&self, program: &Path) -> Vec<String> {
        let mut command = Vec::new();
        if let Some((user, group)) = &self.ids {
            command.extend(["setpriv".to_owned(), format!("--reuid={user}"), format!("--regid={group}")]);
            command.extend(["--clear-groups".to_owned(), "--".to_owned()]);
        }
        command.push(program.display().to_string());
        command
    }
}

fn id(which: &str, of: Option<&str>) -> Result<String> {
    let output = Command::new("id").arg(which).args(of).output().context("id")?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The folder of PostgreSQL's programs: on the path, or where Debian keeps them, the newest.
fn programs() -> Option<PathBuf> {
    let is_it = |folder: &PathBuf| ["initdb", "pg_ctl", "psql"].iter().all(|name| folder.join(name).is_file());
    if let Some(found) = std::env::split_paths(&std::env::var_os("PATH")?).find(is_it) {
        return Some(found);
    }
    let mut versions: Vec<PathBuf> =
        fs::read_dir("/usr/lib/postgresql").ok()?.flatten().map(|entry| entry.path().join("bin")).collect();
    versions.sort();
    versions.into_iter().rev().find(is_it)
}
