//! What the library signs without a server.

use std::time::Duration;

use anyhow::{Context as _, Result};
use jiff::Timestamp;
use portreeve_ssh_cert::authority::KeyType;
use portreeve_ssh_cert::policy::{Asked, Kind, Named, Policy};
use portreeve_ssh_cert::{Authority, SubjectKey};
use tokio::time::Instant;

use super::requests::new_key;

/// Certificates signed a second by as many threads as there are cores to use.
pub(super) fn measure(threads: usize, time: Duration) -> Result<f64> {
    let document = Authority::generate(KeyType::Ed25519)?;
    let authority = Authority::from_pkcs8(KeyType::Ed25519, &document)?;
    let named = Named {
        key_id: "person1@contoso.example".to_owned(),
        principals: vec!["person1".to_owned()],
    };
    let key = SubjectKey::from_blob(&new_key()?)?;
    let unsigned = Policy::default().decide(
        Kind::User,
        key,
        named,
        &Asked::default(),
        Timestamp::constant(1_800_000_000, 0),
    )?;
    let begun = Instant::now();
    let sign = || {
        let mut signed: u64 = 0;
        while begun.elapsed() < time {
            signed += 1;
            let certificate = authority.sign(&unsigned, signed, [7; 32])?;
            std::hint::black_box(certificate.blob());
        }
        anyhow::Ok(signed)
    };
    let signed = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(sign)).collect();
        let mut all = 0;
        for thread in threads {
            let signed = thread.join();
            all += signed.ok().context("a thread that signs has failed")??;
        }
        anyhow::Ok(all)
    })?;
    Ok(signed as f64 / begun.elapsed().as_secs_f64())
}
