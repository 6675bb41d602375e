import Glibc

/// A failed operation on a file: what was tried, on what, and what the system said.
package struct FileError: Error, CustomStringConvertible {
    package let path: String
    package let operation: String
    package let reason: String

    package init(path: String, operation: String, reason: String) {
        self.path = path
        self.operation = operation
        self.reason = reason
    }

    /// Takes the reason from `errno`.
    package static func system(_ operation: String, _ path: String) -> FileError {
        FileError(path: path, operation: operation, reason: String(cString: strerror(errno)))
    }

    package var description: String { "\(Shown.escaped(path)): cannot \(operation): \(reason)" }
}
