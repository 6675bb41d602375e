import Corpora
import Files
import Glibc
import Hardware
import Synchronization

/// Reads all of a run's text once, to know it again: a short one at once, a long one on a thread of its own while the run goes on. Where world
/// rank 0 lives.
final class CorpusCheck: Sendable {
    private struct State {
        var result: Result<CorpusRecord, CorpusError>?
        var thread: PosixThread?
    }

    private let state = Mutex(State())
    private let goesOn = Atomic(true)

    /// This takes some hundredths of a second, where the system has the files in memory.
    private static let short = 64 << 20

    /// - Parameter atOnce: a text of so many bytes is read before this returns
    init(_ corpus: Corpus, atOnce: Int = short) throws {
        guard corpus.size > atOnce else { return read(corpus) }
        let thread = try PosixThread(name: "gecko corpus") {
            // The workers go first where they want the core.
            setpriority(PRIO_PROCESS, 0, 10)
            self.read(corpus)
        }
        state.withLock { $0.thread = thread }
    }

    /// Nil while it is being read.
    var result: Result<CorpusRecord, CorpusError>? { state.withLock { $0.result } }

    private func read(_ corpus: Corpus) {
        let found: Result<CorpusRecord, CorpusError>
        do {
            guard let record = try CorpusRecord(reading: corpus, while: { goesOn.load(ordering: .relaxed) }) else { return }
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
