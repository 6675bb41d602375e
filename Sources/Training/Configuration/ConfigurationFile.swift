import Files
import Foundation
import Locks

/// The text of a configuration's file, or of a pipe that a shell puts in its place.
package enum ConfigurationFile {
    /// What came through pipes, which can be read only once.
    private static let streams = Lock<[String: String]>([:])
    /// Larger ones are no configuration.
    private static let mostBytes = 16 << 20

    /// Whether its text comes only once: a pipe, a terminal.
    package static func isStream(_ path: String) -> Bool {
        var status = stat()
        guard stat(path, &status) == 0 else { return false }
        return status.st_mode & S_IFMT != S_IFREG && status.st_mode & S_IFMT != S_IFDIR
    }

    /// - Throws: `ConfigurationError`
    package static func text(_ path: String) throws -> String {
        guard isStream(path) else { return try decode(read(path), path) }
        if let known = streams.withLock({ $0[path] }) { return known }
        let text = try decode(read(path), path)
        streams.withLock { $0[path] = text }
        return text
    }

    private static func read(_ path: String) throws -> [UInt8] {
        func refuse(_ reason: String) -> ConfigurationError {
            ConfigurationError("cannot read the configuration file \(Shown.name(path)): \(reason)")
        }
        var status = stat()
        if stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR { throw refuse("it is a folder") }
        do {
            let bytes = try SmallFile.read(path, atMost: mostBytes)
            guard bytes.count <= mostBytes else {
                throw refuse("it has more than \(mostBytes >> 20) MiB: this is no configuration")
            }
            return bytes
        } catch let error as FileError {
            var reason = error.reason
            if path.hasPrefix("/dev/fd/") || path.hasPrefix("/proc/self/fd/") {
                reason +=
                    """
                    . Launchers don't hand it on to the ranks: give a file, or /dev/stdin and pipe it into the \
                    launcher
                    """
            } else if path.first == "-" {
                reason += ". Is it meant to be an option? Options of keys are --section.key value"
            }
            throw refuse(reason)
        }
    }

    private static func decode(_ bytes: [UInt8], _ path: String) throws -> String {
        if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
            throw ConfigurationError("\(Shown.name(path)) is not UTF-8 text but UTF-16, it seems: save it as UTF-8")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw ConfigurationError("\(Shown.name(path)) is not UTF-8 text; a configuration is a TOML file")
        }
        // Some editors begin a file with this mark.
        return text.unicodeScalars.first == "\u{FEFF}" ? String(text.unicodeScalars.dropFirst()) : text
    }
}
