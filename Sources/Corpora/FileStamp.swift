import Files
import Glibc

/// By which a file is known again: as long as all of it stays, so did the bytes.
struct FileStamp: Sendable, Equatable {
    let identity: FileIdentity
    let size: Int
    /// When it was last written to.
    private let seconds: Int
    private let nanoseconds: Int

    init(_ status: stat) {
        identity = FileIdentity(status)
        size = Int(status.st_size)
        seconds = status.st_mtim.tv_sec
        nanoseconds = status.st_mtim.tv_nsec
    }

    /// What is different now, completing "changed while it was read: ..."; nil when nothing is.
    func change(to now: FileStamp) -> String? {
        if now == self { return nil }
        if now.identity != identity { return "another file has its name now" }
        if now.size != size { return "it had \(size) bytes, now \(now.size)" }
        return "it has as many bytes as before, but was written to"
    }
}

/// Which file of which file system, whatever its name.
package struct FileIdentity: Sendable, Hashable {
    private let device: UInt
    private let number: UInt

    init(_ status: stat) {
        device = UInt(status.st_dev)
        number = UInt(status.st_ino)
    }

    /// Of what the path leads to; nil where there is nothing.
    package init?(_ path: BytePath) {
        var status = stat()
        guard path.withCString({ stat($0, &status) }) == 0 else { return nil }
        self.init(status)
    }
}
