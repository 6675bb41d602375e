import Glibc

/// What tells a file or folder from any other, whatever it is called.
package struct FileIdentity: Sendable, Hashable {
    private let device: UInt
    private let number: UInt

    package init(_ status: stat) {
        device = UInt(status.st_dev)
        number = UInt(status.st_ino)
    }

    /// Links are followed; nil when there is nothing.
    package init?(_ path: BytePath) {
        var status = stat()
        guard path.withCString({ stat($0, &status) }) == 0 else { return nil }
        self.init(status)
    }

    /// Links are followed; nil when there is nothing.
    package init?(_ path: String) { self.init(BytePath(path)) }
}
