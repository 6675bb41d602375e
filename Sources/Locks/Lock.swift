#if THREAD_SANITIZER
    import Glibc

    /// A value behind a lock that ThreadSanitizer can follow: it knows the C library's mutexes, and sees nothing of the
    /// standard library's, whose atomics lie in a library that isn't instrumented.
    ///
    /// `@unchecked Sendable`: the value is reached under the mutex only, and both stay where they are.
    package struct Lock<Value: ~Copyable>: ~Copyable, @unchecked Sendable {
        private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
        private let value = UnsafeMutablePointer<Value>.allocate(capacity: 1)

        package init(_ initial: consuming sending Value) {
            mutex.initialize(to: pthread_mutex_t())
            pthread_mutex_init(mutex, nil)
            value.initialize(to: initial)
        }

        deinit {
            value.deinitialize(count: 1)
            value.deallocate()
            pthread_mutex_destroy(mutex)
            mutex.deallocate()
        }

        package borrowing func withLock<Result: ~Copyable, Failure: Error>(
            _ body: (inout sending Value) throws(Failure) -> sending Result
        ) throws(Failure) -> sending Result {
            pthread_mutex_lock(mutex)
            defer { pthread_mutex_unlock(mutex) }
            return try body(&value.pointee)
        }
    }
#else
    import Synchronization

    /// A value behind a lock. `jobs/sanitize.sh thread` builds with one that ThreadSanitizer can follow.
    package typealias Lock<Value: ~Copyable> = Synchronization.Mutex<Value>
#endif
