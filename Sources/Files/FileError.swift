import Glibc

/// A failed operation on a file: what was tried, on what, and what the system said.
package struct FileError: Error, CustomStringConvertible {
    package let path: String
    package let operation: String
    package let reason: String
    /// The system's number for it; 0 where it has none.
    package let code: Int32

    package init(path: String, operation: String, reason: String, code: Int32 = 0) {
        self.code = code
        self.path = path
        self.operation = operation
        self.reason = reason
    }

    /// Takes the reason from `errno`.
    package static func system(_ operation: String, _ path: String) -> FileError {
        let code = errno
        return FileError(path: path, operation: operation, reason: String(cString: strerror(code)), code: code)
    }

    /// Whether room would help: a full disk, a quota, a limit on the size of files.
    package var isAboutRoom: Bool { [ENOSPC, EDQUOT, EFBIG].contains(code) }

    package var description: String { "\(Shown.escaped(path)): cannot \(operation): \(reason)" }
}
