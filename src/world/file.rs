//! Files inside the Pod.

/// A file inside the Pod.
#[derive(Clone, Debug)]
pub(crate) struct PodFile {
    /// Its absolute path there.
    pub path: String,
    /// What is in it.
    pub content: Vec<u8>,
    /// Its permission bits.
    pub mode: u32,
}
