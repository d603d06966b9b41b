//! Whether two things are the same, told by a short text that can be stored: the things themselves may
//! hold personal data, which must not be.

use std::hash::{Hash, Hasher};

use sha2::{Digest, Sha256};

const HEX_DIGITS: usize = 16;

/// 16 hex digits that are the same for equal values. A release that changes the type changes them too,
/// so whatever compares them has to live with a difference that is none.
#[must_use]
pub fn fingerprint(value: &impl Hash) -> String {
    let mut hasher = Sha256Hasher(Sha256::new());
    value.hash(&mut hasher);
    let mut text = hex::encode(hasher.0.finalize());
    text.truncate(HEX_DIGITS);
    text
}

/// Feeds what [`Hash`] feeds; unlike the standard hashers its result is the same in every process.
struct Sha256Hasher(Sha256);

impl Hasher for Sha256Hasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let digest = self.0.clone().finalize();
        u64::from_be_bytes(digest[..8].try_into().expect("a digest has 32 bytes"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_have_one_fingerprint_in_every_process() {
        assert_eq!(fingerprint(&("moon", 42_u32)), "cdc531fa0817153c");
        assert_ne!(fingerprint(&("moon", 42_u32)), fingerprint(&("moon", 43_u32)));
        assert_ne!(fingerprint(&("ab", "c")), fingerprint(&("a", "bc")));
    }
}
