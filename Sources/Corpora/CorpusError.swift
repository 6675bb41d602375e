import Files
import Glibc

/// A corpus that cannot be read or is too short: which one, and what to change.
package struct CorpusError: Error, Equatable, CustomStringConvertible {
    package let description: String
    /// Of a text that is too short: the longest sequence, in tokens, for which it would do; 0 for none.
    package let longestSequence: Int?

    init(_ description: String, longestSequence: Int? = nil) {
        self.description = description
        self.longestSequence = longestSequence
    }

    /// With what the system says, from `errno`.
    static func system(_ path: BytePath) -> CorpusError {
        CorpusError("cannot read the corpus \(path): \(String(cString: strerror(errno)))")
    }

    /// For a file that is no longer the one that the run began with.
    static func changed(_ path: BytePath, _ change: String) -> CorpusError {
        CorpusError("\(path) changed while it was read: \(change)")
    }

    /// The same with what helps.
    package func adding(_ advice: String) -> CorpusError { CorpusError(description + advice) }
}
