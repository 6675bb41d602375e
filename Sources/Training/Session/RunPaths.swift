import Checkpoints
import Corpora
import Files

/// Paths of a run that would have it write over what it reads.
enum RunPaths {
    /// - Throws: `ConfigurationError` before anything is made
    static func check(_ configuration: RunConfiguration, store: CheckpointStore) throws {
        let run = configuration.runPath
        guard !run.isEmpty else {
            throw ConfigurationError(["run.directory is empty: name a folder for the run, such as runs/{name}"])
        }
        let written = RunDirectory(run).files
        for text in corpus(configuration.data.path) {
            guard !Folder.areSame(text, run) else {
                throw ConfigurationError([
                    "run.directory = \"\(run)\" is the corpus itself (data.path): give the run a folder of its own"
                ])
            }
            if let file = written.first(where: { Folder.areSame($0, text) }) {
                throw ConfigurationError([
                    """
                    data.path = \"\(text)\" is \(file), which this run writes: give another run.directory, or a \
                    copy of the text
                    """
                ])
            }
            guard !Folder.areSame(text, store.directory) else {
                throw ConfigurationError([
                    """
                    checkpoint.directory = \"\(store.directory)\" is the corpus itself (data.path): give another \
                    folder
                    """
                ])
            }
        }
    }

    /// The files and folders that `data.path` names.
    private static func corpus(_ paths: CorpusPaths) -> [String] {
        switch paths {
        case .text(let text): [text] + text.split(separator: ",").map { String($0).trimmingBlanks }
        case .list(let paths): paths
        }
    }
}

extension String {
    fileprivate var trimmingBlanks: String {
        guard let first = firstIndex(where: { !$0.isWhitespace }), let last = lastIndex(where: { !$0.isWhitespace })
        else { return "" }
        return String(self[first...last])
    }
}
