//! Nothing is left behind by a test that panics while it holds a Lab, or that drops it where no runtime is.

use std::thread;

use proxyproof::{BootOptions, Deployment, Lab};
use tokio::runtime::{Builder, Runtime};

use crate::engine::in_the_engine;
use crate::support::{has_docker, project};

/// Boots the guide, and says how the names of the run's things begin.
async fn boot() -> (Lab, String) {
    let options = BootOptions { keep: true, ..BootOptions::default() };
    let deployment = Deployment::load(project("fixtures/guide/nginx.conf")).expect("the guide is valid");
    let lab = deployment.boot_with(&options).await.expect("it boots");
    let directory = lab.kept().expect("it is kept").directory().to_owned();
    assert!(directory.exists());
    let name = directory.file_name().expect("a name").to_string_lossy().trim_end_matches("run").to_owned();
    (lab, name)
}

fn assert_nothing_left(name: &str) {
    assert_eq!(in_the_engine(name), Vec::<String>::new());
    assert!(!std::env::temp_dir().join(format!("{name}run")).exists());
}

fn panic_holding_a_lab(runtime: Runtime) {
    if !has_docker() {
        return;
    }
    let (sender, names) = std::sync::mpsc::channel();
    let test = thread::spawn(move || {
        runtime.block_on(async {
            let (lab, name) = boot().await;
            sender.send(name).expect("somebody hears it");
            assert_eq!(lab.get("/prometheus/-/ready").await.expect("an answer").status(), 418, "as planned");
        });
    });
    let panic = test.join().expect_err("the assertion fails");
    let message = panic.downcast_ref::<String>().expect("a message");
    assert!(message.contains("as planned"), "{message}");
    // At once: the panic went on when the Lab was gone.
    assert_nothing_left(&names.recv().expect("it booted"));
}

#[test]
fn a_test_that_panics_leaves_nothing() {
    panic_holding_a_lab(Builder::new_current_thread().enable_all().build().expect("a runtime"));
}

#[test]
fn a_test_on_many_threads_that_panics_leaves_nothing() {
    panic_holding_a_lab(Builder::new_multi_thread().enable_all().build().expect("a runtime"));
}

#[test]
fn a_lab_can_be_dropped_after_its_runtime() {
    if !has_docker() {
        return;
    }
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (lab, name) = runtime.block_on(boot());
    drop(runtime);
    drop(lab);
    assert_nothing_left(&name);
}
