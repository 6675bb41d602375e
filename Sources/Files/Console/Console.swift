import Glibc
import Locks

/// Standard output and standard error: every line that gecko prints goes through here.
///
/// `say` and `complain` are for what is told on the way: they never fail and never wait long, since a run outlives its
/// log. `show` is for commands whose product is their output: it fails when the product can't be written.
package enum Console {
    /// The way of lines that may be lost.
    private static let output = Lock(LossyStream(STDOUT_FILENO))
    private static let errors = Lock(LossyStream(STDERR_FILENO))
    /// Takes the lines of both, too.
    private static let log = Lock<RunningLog?>(nil)

    /// Call it before anything else: gives each of the descriptors 0 to 2 that is closed something that stands for it,
    /// so that no other file gets its number, and makes a pipe that nobody reads an error of the write instead of the
    /// end of the process.
    package static func open() {
        for number in STDIN_FILENO...STDERR_FILENO where fcntl(number, F_GETFD) < 0 {
            // For reading only: who writes to it learns that it is closed. The lowest free number is the one that is
            // missing.
            if Glibc.open("/dev/null", O_RDONLY) < 0 { _ = Glibc.open("/", O_RDONLY) }
        }
        // A handler, and not SIG_IGN, which programs that are started here would inherit.
        var old = sigaction()
        if sigaction(SIGPIPE, nil, &old) == 0, old.__sigaction_handler.sa_handler == nil {
            signal(SIGPIPE) { _ in }
        }
    }

    /// A line on standard output. It is written at once, also into a pipe: launchers and logs are read live.
    package static func say(_ text: String) {
        put(text + "\n")
        record(text)
    }

    /// From here on every line of `say` and `complain` goes into a file as well, with its time; nil ends that.
    package static func log(into file: RunningLog?) {
        log.withLock {
            $0?.end()
            $0 = file
        }
    }

    /// A line for the log alone.
    package static func record(_ text: String) { log.withLock { $0?.write(text + "\n") } }

    /// Text on standard output as it is, for lines that are rewritten: the log doesn't get it.
    package static func put(_ text: String) {
        guard let problem = output.withLock({ $0.write(text) }) else { return }
        complain(
            "warning: standard output takes no more lines: \(problem). What is said there is lost; the work goes on")
    }

    /// A line on standard error.
    package static func complain(_ text: String) {
        _ = errors.withLock { $0.write(text + "\n") }
        record(text)
    }

    /// A command's product, on standard output.
    /// - Throws: `OutputError` if not all of it can be written
    package static func show(_ text: String, terminator: String = "\n") throws {
        var bytes = Array((text + terminator).utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
            if count < 0 {
                if errno == EINTR || (errno == EAGAIN && waitUntilWritable(STDOUT_FILENO)) { continue }
                throw OutputError(code: errno)
            }
            bytes.removeFirst(count)
        }
    }

    /// Waits until a descriptor that doesn't block takes bytes again.
    /// - Parameter milliseconds: at most so long; negative: for as long as it takes
    /// - Returns: false when the time is over
    package static func waitUntilWritable(_ descriptor: Int32, milliseconds: Int32 = -1) -> Bool {
        var request = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        while true {
            let found = poll(&request, 1, milliseconds)
            if found >= 0 { return found > 0 }
            guard errno == EINTR else { return true }
        }
    }
}

/// A command's product could not be written to standard output.
package struct OutputError: Error, CustomStringConvertible {
    package let code: Int32

    /// Whether the reader has had enough: `gecko simulate | head` needs no complaint.
    package var isBrokenPipe: Bool { code == EPIPE }

    package var description: String {
        "cannot write the output: \(code == EBADF ? "standard output is closed" : String(cString: strerror(code)))"
    }
}
