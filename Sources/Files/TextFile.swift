/// Text that a user named: schedules, costs, descriptions. It is read whole and is text, or it is told what it is.
package enum TextFile {
    /// - Parameter expected: what should have been there, for messages: "a text file such as --save writes"
    package static func read(_ path: String, expected: String) throws -> String {
        let bytes = try SmallFile.read(path)
        guard let text = String(validating: bytes, as: UTF8.self) else {
            let isWide = bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF])
            throw FileError(
                path: path, operation: "read it",
                reason: "expected \(expected), found "
                    + (isWide ? "UTF-16: store it as UTF-8" : "bytes that are no UTF-8 text"))
        }
        return text
    }
}
