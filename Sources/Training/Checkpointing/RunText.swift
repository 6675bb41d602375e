import Checkpoints
import Corpora
import Files
import Locks

/// What this process knows of the text that its run reads: how checkpoints name it, and where world rank 0 lives
/// whether it is the one that the run has read so far.
final class RunText: Sendable {
    private struct State {
        var name = ""
        var isKnown = false
        var expected = ""
        var check: CorpusCheck?
    }

    /// What world rank 0 tells of the text.
    enum Verdict: Int {
        /// It is still being read.
        case open
        case good
        /// It isn't the one that the run has read so far.
        case other
        /// It could not be read to its end.
        case unreadable
    }

    private let state = Lock(State())

    /// As manifests name the text: with a digest of all of it as soon as that is known.
    var name: String { state.withLock { $0.name } }
    /// Whether that is the last word; the same on all ranks at the same step.
    var isKnown: Bool { state.withLock { $0.isKnown } }

    /// Begins to read all of it, for a run whose files lie in `directory`; on world rank 0.
    func startReading(_ corpus: Corpus) throws {
        let check = try CorpusCheck(corpus)
        state.withLock { $0.check = check }
    }

    /// What manifests say until more is known: what the checkpoint says that the run goes on from, or just the length.
    func begin(_ corpus: Corpus, expected: String) {
        let hasDigest = CorpusRecord.namesDigest(expected)
        state.withLock {
            $0.expected = hasDigest ? expected : ""
            $0.name = hasDigest ? expected : CorpusRecord(sizesOf: corpus).name
        }
    }

    /// All ranks have heard of it.
    func settle(_ name: String) {
        state.withLock {
            $0.name = name
            $0.isKnown = true
        }
    }

    /// The text's record, where world rank 0 lives and has read it.
    var record: CorpusRecord? { try? state.withLock { $0.check }?.result?.get() }

    var verdict: Verdict {
        let (check, expected) = state.withLock { ($0.check, $0.expected) }
        check?.lookAgain()
        switch check?.result {
        case nil: return .open
        case .failure: return .unreadable
        case .success(let record): return expected.isEmpty || record.name == expected ? .good : .other
        }
    }

    /// What is wrong with it; nil when nothing is, or nothing is known.
    /// - Parameter directory: which keeps the files' digests
    func problem(_ directory: RunDirectory?, path: CorpusPaths) -> (any Error)? {
        let (check, expected) = state.withLock { ($0.check, $0.expected) }
        switch check?.result {
        case nil: return nil
        case .failure(let error): return error
        case .success(let record):
            guard !expected.isEmpty, record.name != expected else { return nil }
            return Self.otherText(record, expected: expected, directory, path: path)
        }
    }

    /// Compares what is known at once with what a manifest says. On world rank 0, before any work.
    func check(_ plan: TrainingPlan, against manifest: Manifest, _ directory: RunDirectory) throws {
        let expected = manifest.corpus
        let path = plan.configuration.data.path
        guard !expected.isEmpty else { return }
        if CorpusFingerprint.isOne(expected) {
            let found = try CorpusFingerprint(plan.corpus).text
            guard found != expected else { return }
            throw Self.refusal(path, "it has \(found), and a checkpoint says \(expected)")
        }
        guard CorpusRecord.tokens(named: expected) == plan.corpus.count else {
            throw Self.otherText(CorpusRecord(sizesOf: plan.corpus), expected: expected, directory, path: path)
        }
        begin(plan.corpus, expected: expected)
        if let problem = problem(directory, path: path) { throw problem }
    }

    private static func otherText(
        _ record: CorpusRecord, expected: String, _ directory: RunDirectory?, path: CorpusPaths
    ) -> ConfigurationError {
        let old = directory.flatMap { try? SmallFile.read($0.corpus) }.flatMap { CorpusRecord($0) }
        let tokens = CorpusRecord.tokens(named: expected) ?? 0
        return refusal(
            path,
            old.flatMap { record.differences(from: $0) }
                ?? (tokens == record.tokens
                    ? "its \(tokens) tokens are as many, but not the same"
                    : "it had \(tokens) tokens, now \(record.tokens)"))
    }

    private static func refusal(_ path: CorpusPaths, _ difference: String) -> ConfigurationError {
        ConfigurationError(
            "data.path = \"\(path)\" is not the text that the run in this folder was trained on: \(difference). Give "
                + "the same text, or another run.directory")
    }

    /// Ends what is still going on.
    func stop() { state.withLock { $0.check }?.stop() }
}
