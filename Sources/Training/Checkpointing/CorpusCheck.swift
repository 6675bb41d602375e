import Corpora
import Files
import Glibc
import Hardware
import Locks
import Synchronization

/// Reads all of a run's text once, to know it again: a short one at once, a long one on a thread of its own while the
/// run goes on. Where world rank 0 lives.
final class CorpusCheck: Sendable {
    private struct State {
        var result: Result<CorpusRecord, CorpusError>?
        var thread: PosixThread?
    }

    private let corpus: Corpus
    private let state = Lock(State())
    private let goesOn = Atomic(true)
    private let isReading = Atomic(false)

    /// This takes some hundredths of a second, where the system has the files in memory.
    private static let short = 64 << 20

    init(_ corpus: Corpus) throws {
        self.corpus = corpus
        if corpus.size > Self.short { try start { $0.read() } } else { read() }
    }

    private func start(_ work: @escaping @Sendable (CorpusCheck) -> Void) throws {
        isReading.store(true, ordering: .relaxed)
        let thread = try PosixThread(name: "gecko corpus") {
            // The workers go first where they want the core.
            setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 10)
            work(self)
            self.isReading.store(false, ordering: .releasing)
        }
        let old = state.withLock { state in
            defer { state.thread = thread }
            return state.thread
        }
        old?.join()
    }

    /// Nil while it is being read.
    var result: Result<CorpusRecord, CorpusError>? { state.withLock { $0.result } }

    private func read() {
        finish {
            try CorpusRecord(reading: corpus) { goesOn.load(ordering: .relaxed) }
        }
    }

    /// Reads files again to which something happened since, while the run goes on.
    func lookAgain() {
        guard !isReading.load(ordering: .acquiring), case .success(let record)? = result else { return }
        let touched = corpus.takeTouched()
        guard !touched.isEmpty else { return }
        do {
            try start { check in
                check.finish {
                    try record.compare(touched, of: check.corpus) { check.goesOn.load(ordering: .relaxed) }
                    return record
                }
            }
        } catch {
            warn("\(error): the text is not compared again")
        }
    }

    private func finish(_ work: () throws -> CorpusRecord?) {
        let found: Result<CorpusRecord, CorpusError>
        do {
            guard let record = try work() else { return }
            found = .success(record)
        } catch let error as CorpusError {
            found = .failure(error)
        } catch {
            preconditionFailure("reading a corpus fails with nothing but a CorpusError: \(error)")
        }
        state.withLock { $0.result = found }
    }

    /// Ends the thread.
    func stop() {
        goesOn.store(false, ordering: .relaxed)
        let thread = state.withLock { state in
            defer { state.thread = nil }
            return state.thread
        }
        thread?.join()
    }
}
