import Glibc

/// A program that was started, with pipes from its standard output and standard error. Both are read at once: who
/// writes never waits for the one that isn't read. (Foundation's Process waits for the program's children, too, which
/// may stay.)
struct ChildProcess {
    private let number: pid_t
    /// The ends to read from.
    private let pipes: [Int32]

    struct End {
        /// As waitpid tells it.
        let status: Int32
        let output: String
        let complaints: String
    }

    init(_ path: String, _ arguments: [String]) throws {
        let (output, complaints) = (try Self.pipe(), try Self.pipe())
        pipes = [output.read, complaints.read]
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output.write, 1)
        posix_spawn_file_actions_adddup2(&actions, complaints.write, 2)
        // Swift's threads block signals; the program should have them.
        var (attributes, none, all) = (posix_spawnattr_t(), sigset_t(), sigset_t())
        posix_spawnattr_init(&attributes)
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        var words = arguments.map { strdup($0) } + [nil]
        var child: pid_t = 0
        let problem = posix_spawn(&child, path, &actions, &attributes, &words, environ)
        for word in words { free(word) }
        posix_spawn_file_actions_destroy(&actions)
        posix_spawnattr_destroy(&attributes)
        close(output.write)
        close(complaints.write)
        guard problem == 0 else {
            for pipe in pipes { close(pipe) }
            throw BatchError(String(cString: strerror(problem)))
        }
        number = child
    }

    private static func pipe() throws -> (read: Int32, write: Int32) {
        var ends: [Int32] = [0, 0]
        guard Glibc.pipe(&ends) == 0 else { throw BatchError(String(cString: strerror(errno))) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (ends[0], ends[1])
    }

    /// Reads until the program is gone and has nothing more to say; children of its own that stay are not waited for.
    /// - Returns: nil when that took longer than `limit` seconds; then it is killed
    func end(limit: Double?) -> End? {
        let start = ContinuousClock.now
        var texts = pipes.map { _ in [UInt8]() }
        var open = pipes.map { _ in true }
        var status: Int32?
        defer { for pipe in pipes { close(pipe) } }
        while status == nil || open.contains(true) {
            if let limit, status == nil, ContinuousClock.now - start > .seconds(limit) {
                kill(number, SIGKILL)
                _ = wait(flags: 0)
                return nil
            }
            let wasGone = status != nil
            if status == nil { status = wait(flags: WNOHANG) }
            let heard = listen(&texts, &open, milliseconds: wasGone ? 0 : 50)
            if wasGone, !heard { break }
        }
        return End(
            status: status ?? -1, output: String(decoding: texts[0], as: UTF8.self),
            complaints: String(decoding: texts[1], as: UTF8.self))
    }

    /// - Returns: whether something came
    private func listen(_ texts: inout [[UInt8]], _ open: inout [Bool], milliseconds: Int32) -> Bool {
        var polled = pipes.indices.map { pollfd(fd: open[$0] ? pipes[$0] : -1, events: Int16(POLLIN), revents: 0) }
        guard poll(&polled, nfds_t(polled.count), milliseconds) > 0 else { return false }
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        for i in polled.indices where polled[i].revents != 0 {
            let count = read(pipes[i], &piece, piece.count)
            if count > 0 { texts[i] += piece[..<count] }
            if count == 0 || (count < 0 && errno != EINTR) { open[i] = false }
        }
        return true
    }

    /// - Returns: nil while it runs
    private func wait(flags: Int32) -> Int32? {
        var status: Int32 = 0
        while true {
            let found = waitpid(number, &status, flags)
            if found == number { return status }
            if found == 0 { return nil }
            // Somebody else has waited for it: how it ended is lost.
            if errno != EINTR { return -1 }
        }
    }
}
