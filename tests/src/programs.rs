//! The shipped programs, run as their users run them: `rectify` and `rectify-phone` as processes.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use anyhow::{Context, Result, anyhow, bail};
use databases::Kind;
use schema::hash::Hash;
use serde_json::Value;
use server::services::blobs::{Blobs, Version};
use server::services::bucket::BucketAt;

/// Where the programs are: beside the test's own folder. `cargo xtask test` builds them first.
///
/// # Errors
/// They are not there.
pub fn program(name: &str) -> Result<PathBuf> {
    let here = std::env::current_exe()?;
    let folder = here.parent().and_then(Path::parent).context("a target folder")?;
    let path = folder.join(name);
    if path.is_file() {
        Ok(path)
    } else {
        Err(anyhow!("{} is missing: cargo build --workspace --all-features --bins", path.display()))
    }
}

/// A port that was free a moment ago.
///
/// # Errors
/// There is none.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// What a finished program said.
#[derive(Debug, Clone)]
pub struct Said {
    /// Its exit code.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Said {
    /// What a program said that has ended.
    pub fn of(output: &Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Its result, where it was asked for JSON and succeeded.
    ///
    /// # Errors
    /// It failed, or did not print JSON.
    pub fn json(&self) -> Result<Value> {
        if self.code != 0 {
            bail!("exit {}: {}{}", self.code, self.out, self.err);
        }
        serde_json::from_str(self.out.trim()).with_context(|| format!("no JSON: {}", self.out))
    }
}

/// Runs a program to its end.
///
/// # Errors
/// It does not start.
pub fn run(name: &str, arguments: &[&str]) -> Result<Said> {
    run_with(name, arguments, Vec::new())
}

/// Runs a program to its end, with more in its environment.
///
/// # Errors
/// It does not start.
pub fn run_with(name: &str, arguments: &[&str], environment: Vec<(String, String)>) -> Result<Said> {
    let output = Command::new(program(name)?).args(arguments).envs(environment).stdin(Stdio::null()).output()?;
    Ok(Said::of(&output))
}

/// An installation in a folder, with its server running or not.
pub struct Installation {
    /// Its data folder.
    pub data: PathBuf,
    /// Its database.
    pub database: String,
    /// Where whole photos are, with the settings of that bucket; none for the data folder.
    pub photos: Option<(String, Vec<(String, String)>)>,
    /// A file that says how far its server's clock is ahead, as libfaketime reads it (`+30d`); none for the machine's.
    pub ahead: Option<PathBuf>,
    /// Where it listens when it runs.
    pub address: String,
    running: Option<Child>,
}

impl Installation {
    /// A new one on the kind of database that this run of tests is about; nothing runs yet.
    ///
    /// # Errors
    /// There is no free port.
    pub fn new(data: PathBuf) -> Result<Self> {
        Self::on(Kind::of_this_run(), data)
    }

    /// A new one on a kind of database.
    ///
    /// # Errors
    /// There is no free port.
    pub fn on(kind: Kind, data: PathBuf) -> Result<Self> {
        let database = kind.address(&data);
        Self::at(data, database)
    }

    /// A new one in a database.
    ///
    /// # Errors
    /// There is no free port.
    pub fn at(data: PathBuf, database: String) -> Result<Self> {
        let photos = databases::bucket(&data);
        Ok(Self { data, database, photos, ahead: None, address: format!("127.0.0.1:{}", free_port()?), running: None })
    }

    /// Another server of the same installation: the same database, a copy of the keys, a data folder of its own.
    ///
    /// # Errors
    /// The keys can't be copied.
    pub fn beside(&self, data: PathBuf) -> Result<Self> {
        std::fs::create_dir_all(data.join("keys"))?;
        for key in std::fs::read_dir(self.data.join("keys"))? {
            let key = key?;
            std::fs::copy(key.path(), data.join("keys").join(key.file_name()))?;
        }
        Ok(Self {
            data,
            database: self.database.clone(),
            photos: self.photos.clone(),
            ahead: self.ahead.clone(),
            address: format!("127.0.0.1:{}", free_port()?),
            running: None,
        })
    }

    /// The installation lies in another folder and database from here on, at the address that its phones know.
    pub fn move_to(&mut self, data: PathBuf, database: String) {
        self.photos = databases::bucket(&data);
        (self.data, self.database) = (data, database);
    }

    fn data(&self) -> String {
        self.data.display().to_string()
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Starts the server and waits until it says that it listens. Returns what it said.
    ///
    /// # Errors
    /// It does not start.
    pub fn start(&mut self) -> Result<Value> {
        self.start_as("local")
    }

    /// Starts the server with a durability.
    ///
    /// # Errors
    /// It does not start.
    pub fn start_as(&mut self, durability: &str) -> Result<Value> {
        self.start_with(durability, &[])
    }

    /// Starts the server with a durability, and more of its flags.
    ///
    /// # Errors
    /// It does not start.
    pub fn start_with(&mut self, durability: &str, flags: &[&str]) -> Result<Value> {
        let data = self.data();
        let place = ["--data", &data, "--database-url", &self.database];
        let arguments = ["--json", "serve", "--listen", &self.address, "--durability", durability];
        let mut child = Command::new(program("rectify")?)
            .args(arguments)
            .args(place)
            .args(flags)
            .args(self.photos_url())
            .envs(self.bucket_settings())
            .envs(self.clock_settings()?)
            .env("RECTIFY_LOG", "warn")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        let out = child.stdout.take().context("its output")?;
        BufReader::new(out).read_line(&mut line)?;
        self.running = Some(child);
        serde_json::from_str(&line).with_context(|| format!("the server said: {line:?}"))
    }

    /// The process of the server, if it runs.
    pub fn pid(&self) -> Option<u32> {
        self.running.as_ref().map(Child::id)
    }

    /// SIGKILL: a normal stop.
    ///
    /// # Errors
    /// It could not be killed.
    pub fn kill(&mut self) -> Result<()> {
        if let Some(mut child) = self.running.take() {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }

    /// One of the operator's commands on this installation: its data folder, database and bucket.
    ///
    /// # Errors
    /// The program is not there.
    pub fn command(&self, arguments: &[&str]) -> Result<Command> {
        let mut command = Command::new(program("rectify")?);
        command.args(arguments).args(["--data", &self.data(), "--database-url", &self.database]);
        command.args(self.photos_url()).envs(self.bucket_settings()).stdin(Stdio::null());
        Ok(command)
    }

    /// Runs one of the operator's commands.
    ///
    /// # Errors
    /// It does not start.
    pub fn operate(&self, arguments: &[&str]) -> Result<Said> {
        let all = [&["--json", "--lang", "en"], arguments].concat();
        Ok(Said::of(&self.command(&all)?.output()?))
    }

    /// The flag that says where whole photos are.
    pub fn photos_url(&self) -> Vec<String> {
        self.photos.iter().flat_map(|(url, _)| ["--photos-url".to_owned(), url.clone()]).collect()
    }

    /// What its programs need in their environment to get at them.
    pub fn bucket_settings(&self) -> Vec<(String, String)> {
        self.photos.iter().flat_map(|(_, settings)| settings.clone()).collect()
    }

    /// What makes its server's clock run ahead: wall clock only, timers go by the machine's.
    fn clock_settings(&self) -> Result<Vec<(&'static str, String)>> {
        let Some(ahead) = &self.ahead else { return Ok(Vec::new()) };
        let library = std::fs::read_dir("/usr/lib")?
            .filter_map(|folder| Some(folder.ok()?.path().join("faketime/libfaketimeMT.so.1")))
            .find(|library| library.is_file())
            .context("libfaketime is missing: cargo xtask test --only needs")?;
        Ok(vec![
            ("LD_PRELOAD", library.display().to_string()),
            ("FAKETIME_TIMESTAMP_FILE", ahead.display().to_string()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
            ("NO_FAKE_STAT", "1".to_owned()),
        ])
    }

    /// The bytes of a photo that is whole, wherever they are.
    ///
    /// # Errors
    /// They can't be read.
    pub fn photo(&self, photo: &str) -> Result<Option<Vec<u8>>> {
        let photo: Hash = photo.parse().map_err(|_| anyhow!("a photo's hash"))?;
        let bucket = self.photos.clone().map(|(url, settings)| BucketAt { url, settings });
        let data = self.data.clone();
        let found = tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
            let blobs = Blobs::open(&data, bucket.as_ref())?;
            tokio::task::spawn_blocking(move || blobs.open_whole(&photo, Version::Original)).await?
        })?;
        let Some((mut file, _)) = found else { return Ok(None) };
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }

    /// Runs one of the operator's commands that must succeed.
    ///
    /// # Errors
    /// It fails.
    pub fn must(&self, arguments: &[&str]) -> Result<Value> {
        self.operate(arguments)?.json().with_context(|| arguments.join(" "))
    }
}

impl Drop for Installation {
    fn drop(&mut self) {
        if let Some(child) = &mut self.running {
            drop(child.kill());
            drop(child.wait());
        }
    }
}

/// A phone as a program with a home folder.
#[derive(Debug, Clone)]
pub struct Phone {
    /// Its home.
    pub home: PathBuf,
}

impl Phone {
    /// Runs the phone's program.
    ///
    /// # Errors
    /// It does not start.
    pub fn run(&self, arguments: &[&str]) -> Result<Said> {
        let home = self.home.display().to_string();
        let mut all = vec!["--home", &home, "--lang", "en", "--json"];
        all.extend(arguments);
        run("rectify-phone", &all)
    }

    /// Runs it where it must succeed.
    ///
    /// # Errors
    /// It fails.
    pub fn must(&self, arguments: &[&str]) -> Result<Value> {
        self.run(arguments)?.json().with_context(|| arguments.join(" "))
    }

    /// Starts it without waiting for its end.
    ///
    /// # Errors
    /// It does not start.
    pub fn spawn(&self, arguments: &[&str]) -> Result<Child> {
        let home = self.home.display().to_string();
        let mut command = Command::new(program("rectify-phone")?);
        command.args(["--home", &home, "--lang", "en", "--json"]).args(arguments);
        Ok(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?)
    }
}
