//! The files by which the system knows people, whichever they are: who has an account, and whose certificates open it.

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;

use portreeve_host_policy::Local;

use super::files::{Files, Folder};
use super::image::Image;
use super::principals::{self, Clock};
use super::{snapshot, userdb};
use crate::config::Backend;
use crate::paths::Paths;

/// What the machine says about people.
pub(super) struct Survey {
    accounts: Accounts,
    principals: Folder,
    clock: Clock,
}

/// By either way in which accounts are made known.
enum Accounts {
    Records(Folder),
    /// The three files are in this folder.
    Snapshot(PathBuf),
}

impl Survey {
    /// Reads it, once for everything that is done with it.
    pub(super) fn read(paths: &Paths, backend: Backend, clock: Clock) -> io::Result<Self> {
        let accounts = match backend {
            Backend::Userdb => Accounts::Records(Folder::read(&paths.userdb())?),
            Backend::Nss => Accounts::Snapshot(paths.nss()),
        };
        Ok(Self {
            accounts,
            principals: Folder::read(&paths.principals())?,
            clock,
        })
    }

    /// Names and numbers of accounts and of groups that records of others have.
    pub(super) fn foreign(
        &self,
        paths: &Paths,
    ) -> io::Result<(BTreeSet<String>, BTreeSet<String>)> {
        match &self.accounts {
            Accounts::Records(folder) => userdb::foreign(paths, folder),
            Accounts::Snapshot(_) => Ok(Default::default()),
        }
    }

    /// What it is a picture of.
    pub(super) fn image(&self) -> io::Result<Image> {
        let image = match &self.accounts {
            Accounts::Records(folder) => userdb::read(folder),
            Accounts::Snapshot(folder) => snapshot::read(folder)?,
        };
        Ok(Image {
            principals: principals::read(&self.principals, &self.clock),
            ..image
        })
    }

    /// Takes away what the image does not have: all of it, even if a part of it cannot be done.
    pub(super) fn shut(&mut self, files: &mut dyn Files, image: &Image) -> io::Result<()> {
        let principals = &image.principals;
        let principals = principals::shut(files, &mut self.principals, principals, &self.clock);
        let accounts = match &mut self.accounts {
            Accounts::Records(folder) => userdb::shut(files, folder, image),
            Accounts::Snapshot(folder) => snapshot::shut(files, folder, image),
        };
        principals.and(accounts)
    }

    /// Gives what the image has.
    pub(super) fn open(
        &mut self,
        files: &mut dyn Files,
        image: &Image,
        local: &Local,
    ) -> io::Result<()> {
        match &mut self.accounts {
            Accounts::Records(folder) => userdb::open(files, folder, image)?,
            Accounts::Snapshot(folder) => snapshot::open(files, folder, image, local)?,
        }
        let principals = &image.principals;
        principals::open(files, &mut self.principals, principals, &self.clock)
    }
}
