import Glibc

/// Ages of a run's files by the clock that stamped them: a file server's may be far from this machine's. What it says
/// now shows when a file there is touched: the run's lock, whose times mean nothing else. Who may not touch it gets
/// this machine's clock.
struct FolderClock {
    private let now: Double

    init(_ folder: String) {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        now = Self.touch("\(folder)/run.lock") ?? Self.seconds(time)
    }

    /// Seconds since the file was written; nil when there is none, or its time lies ahead.
    func age(of path: String) -> Double? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        let age = now - Self.seconds(status.st_mtim)
        // The two stamps may come from different processors.
        return age > -2 ? max(0, age) : nil
    }

    private static func touch(_ path: String) -> Double? {
        let descriptor = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var status = stat()
        guard futimens(descriptor, nil) == 0, fstat(descriptor, &status) == 0 else { return nil }
        return seconds(status.st_mtim)
    }

    private static func seconds(_ time: timespec) -> Double { Double(time.tv_sec) + Double(time.tv_nsec) / 1e9 }
}
