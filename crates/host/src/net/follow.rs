//! Waiting for what the server has to say, and handing it over.

use super::server::Policy;
use super::{Fault, Link, Trouble, lock};
use crate::wire::{Request, State};
use portreeve_host_policy::Envelope;
use std::time::Duration;

/// Waits for documents.
pub struct Follower<'a> {
    link: &'a Link<'a>,
    /// The first request of all is answered at once, so that one knows how things stand.
    is_first: bool,
}

impl<'a> Follower<'a> {
    /// Begins.
    pub fn new(link: &'a Link<'a>) -> Self {
        Self {
            link,
            is_first: true,
        }
    }

    /// Waits once, and hands over what came. Whether anything did.
    ///
    /// # Errors
    /// When the server or the other half cannot be reached, or the other half refuses what came, which is reported.
    pub fn turn(&mut self) -> Result<bool, Trouble> {
        let link = self.link;
        let state = link.state()?;
        let server = link.server();
        let wait = match self.is_first {
            true => Duration::ZERO,
            false => Duration::from_secs(server.identity()?.policy_wait_seconds),
        };
        let version = state.applied.map(|applied| applied.version);
        let krl = link.krl_in_force(&state);
        let policy = server.policy(version, krl.as_deref(), wait)?;
        let handed = self.hand_over(&state, policy);
        *lock(&link.refused) = match &handed {
            Err(Trouble::Refused(refusal)) => Some(refusal.clone()),
            _ => None,
        };
        self.is_first = handed.is_err();
        handed
    }

    /// What is revoked comes first: it shuts people out at once, and lets nobody in. But whichever of the two is not taken,
    /// the other one is handed over all the same.
    fn hand_over(&self, state: &State, policy: Policy) -> Result<bool, Trouble> {
        let link = self.link;
        let is_other = policy.krl.is_some() && policy.krl != link.krl_in_force(state);
        let krl = match is_other {
            true => link.renew_krl(),
            false => Ok(()),
        };
        let is_new = policy.envelope.is_some();
        if let Some(envelope) = policy.envelope {
            let envelope: Envelope = serde_json::from_slice(&envelope)
                .map_err(|cause| Fault::Unreadable(cause.to_string()))?;
            link.ask(&Request::Apply(envelope))?;
        }
        krl.map(|()| is_other || is_new)
    }
}
