//! Why a task that was waited for came to nothing.

use tokio::task::JoinError;

use super::RuntimeError;

/// A panic goes on in whoever waits for the task. Otherwise it was never run to its end, because the tokio runtime is
/// being shut down: a task that is polled once more meanwhile finds that its own tasks are refused.
pub(crate) fn unfinished(task: JoinError) -> RuntimeError {
    match task.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        Err(_cancelled) => RuntimeError::ShutDown,
    }
}

#[cfg(test)]
mod tests {
    use tokio::runtime::Builder;
    use tokio::task::JoinHandle;

    use super::*;

    fn ended(task: JoinHandle<()>) -> JoinError {
        Builder::new_current_thread().build().expect("a runtime").block_on(task).expect_err("it does not end well")
    }

    #[test]
    fn what_a_runtime_refuses_that_is_shut_down_is_an_error() {
        let runtime = Builder::new_multi_thread().worker_threads(1).build().expect("a runtime");
        let handle = runtime.handle().clone();
        runtime.shutdown_background();
        let error = unfinished(ended(handle.spawn_blocking(|| ())));
        assert!(matches!(error, RuntimeError::ShutDown), "{error}");
    }

    #[test]
    fn a_panic_goes_on() {
        let runtime = Builder::new_multi_thread().worker_threads(1).build().expect("a runtime");
        let task = runtime.spawn(async { std::panic::resume_unwind(Box::new("its own words")) });
        let went_on = std::panic::catch_unwind(|| unfinished(ended(task))).expect_err("it goes on");
        assert_eq!(went_on.downcast_ref(), Some(&"its own words"));
    }
}
