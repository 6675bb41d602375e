import Kernels
import MPI
import Locks

/// Which program this is: for `gecko --version`, for the first line of a run, and for what it leaves in files.
package enum Program {
    /// Semantic: the first number changes when files of before can't be read any more, the second when something new
    /// can be done.
    package static let version = "0.9.0"

    private static let knownCommit = Lock("")

    /// The commit that the command was built from; only the command knows, so that a new one doesn't compile everything
    /// again.
    package static func identify(commit: String) { knownCommit.withLock { $0 = commit } }

    /// Its first digits, with "+" where files had been changed.
    private static var commit: String {
        let text = knownCommit.withLock { $0 }
        return text.isEmpty ? "commit unknown" : text.prefix(10) + (text.hasSuffix("+") && text.count > 10 ? "+" : "")
    }

    /// "gecko 0.9.0 (29eb1f4c33)": what wrote a file.
    package static var name: String { "gecko \(version) (\(commit))" }

    /// With what it computes and communicates with, in one line.
    package static var line: String {
        "gecko \(version) (\(commit)), kernels for \(KernelTable.best.levelName), \(MPIWorld.libraryVersion)"
    }

    package static var text: String {
        let text = knownCommit.withLock { $0 }
        return """
            gecko \(version)
            commit   \(text.isEmpty ? "unknown" : text)\(text.hasSuffix("+") ? " (with changes)" : "")
            kernels  \(KernelTable.best.levelName) (of AVX-512 BF16, AVX-512, AVX2, any CPU)
            MPI      \(MPIWorld.libraryVersion)
            """
    }
}
