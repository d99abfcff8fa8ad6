//! Letting a command line sign in as oneself.

use askama::Template;

use crate::parts::{Field, Level};
use crate::{Address, Page, Plain};

/// What is to be let in, and as whom.
#[derive(Clone, Debug)]
pub struct Request {
    /// Who is signed in here, and what the command line may do as that person.
    pub who: String,
    /// The person's level.
    pub level: Level,
    /// The program and the machine as they call themselves; nothing vouches for it.
    pub client: String,
    /// The address that asked.
    pub address: String,
    /// For how long: "30 days".
    pub lasts: String,
}

/// Whether a command line on this machine may sign in. It waits on a port of the machine for the answer.
#[derive(Debug, Template)]
#[template(path = "sign_in/consent.html")]
pub struct Consent {
    /// The frame.
    pub plain: Plain,
    /// What is to be let in.
    pub request: Request,
    /// Where the answer is posted to, with `decision` being `approve` or `deny`.
    pub action: Address,
    /// What is sent with it.
    pub values: Vec<(&'static str, String)>,
}

impl Page for Consent {
    fn title(&self) -> String {
        "Let the command line sign in?".to_owned()
    }
}

/// Where the code that a command line elsewhere shows is written.
#[derive(Debug, Template)]
#[template(path = "sign_in/device.html")]
pub struct Device {
    /// The frame.
    pub plain: Plain,
    /// Where the code is sent, with GET and the parameter `user_code`.
    pub action: Address,
    /// What was written.
    pub code: String,
    /// What was wrong with it; empty when nothing was.
    pub error: String,
}

impl Device {
    fn field(&self) -> Field {
        let field = Field::line("device", "user_code", "Code", self.code.clone());
        let field = field.help("As the command line shows it, such as BCDF-GHJK.");
        field.required().error(self.error.clone())
    }
}

impl Page for Device {
    fn title(&self) -> String {
        "Sign in on another device".to_owned()
    }
}

/// Whether the command line that shows a code may sign in.
#[derive(Debug, Template)]
#[template(path = "sign_in/device_consent.html")]
pub struct DeviceConsent {
    /// The frame.
    pub plain: Plain,
    /// What is to be let in.
    pub request: Request,
    /// The code, to be compared with the one on the other device.
    pub code: String,
    /// Where the answer is posted to, with `user_code`, and `decision` being `approve` or `deny`.
    pub action: Address,
}

impl Page for DeviceConsent {
    fn title(&self) -> String {
        "Let this device sign in?".to_owned()
    }
}
