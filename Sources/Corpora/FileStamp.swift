import Files
import Glibc

/// By which a file is known again: as long as all of it stays, so did the bytes.
struct FileStamp: Sendable {
    private struct Moment: Equatable {
        let seconds: Int
        let nanoseconds: Int

        init(_ time: timespec) {
            seconds = time.tv_sec
            nanoseconds = time.tv_nsec
        }
    }

    let identity: FileIdentity
    let size: Int
    private let written: Moment
    /// When anything about it last changed: its bytes, but also its mode, its owner or how many names it has.
    private let touched: Moment

    init(_ status: stat) {
        identity = FileIdentity(status)
        size = Int(status.st_size)
        written = Moment(status.st_mtim)
        touched = Moment(status.st_ctim)
    }

    /// Whether something happened to it, if perhaps not to its bytes.
    func isTouched(since old: FileStamp) -> Bool { touched != old.touched }

    /// What is different now, completing "changed while it was read: ..."; nil when nothing is.
    func change(to now: FileStamp) -> String? {
        if now.identity != identity { return "another file has its name now" }
        if now.size != size { return "it had \(size) bytes, now \(now.size)" }
        return now.written == written ? nil : "it has as many bytes as before, but was written to"
    }
}
