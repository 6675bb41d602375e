import Checkpoints
import Files
import Glibc
import JSON

/// How the last turn of a run ended, left in its folder as `end.json` for who asks later. A process that is killed
/// leaves none.
package struct RunEnding: Sendable, Equatable {
    package enum Kind: String, Sendable { case finished, stopped, failed }

    package var kind: Kind
    package var exitCode: Int
    /// Why, in a sentence; empty when it is finished.
    package var cause: String

    package init(kind: Kind, exitCode: Int, cause: String) {
        self.kind = kind
        self.exitCode = exitCode
        self.cause = cause
    }

    /// What the folder tells; nil when it doesn't.
    package init?(of run: RunDirectory) {
        guard let bytes = try? SmallFile.read(Self.path(run)),
            case .object(let members)? = try? JSONParser.parse(bytes).value
        else { return nil }
        let fields = Dictionary(members.map { ($0.key, $0.value) }) { first, _ in first }
        guard case .string(let name)? = fields["state"], let kind = Kind(rawValue: name),
            case .integer(let code)? = fields["exit_code"], case .string(let cause)? = fields["cause"]
        else { return nil }
        self.init(kind: kind, exitCode: code, cause: cause)
    }

    init(_ error: any Error) {
        switch error {
        case let exit as SilentExit where exit.status == ExitStatus.requeue:
            let signal = Int(StopSignals.first)
            self.init(
                kind: .stopped, exitCode: Int(exit.status),
                cause: signal == 0 ? "a signal to one of its ranks" : StopSignals.name(signal))
        case let exit as SilentExit:
            self.init(kind: .failed, exitCode: Int(exit.status), cause: "its log says why")
        default:
            let code = error.isLostPeer ? ExitStatus.lostPeer : ExitStatus.failure
            self.init(kind: .failed, exitCode: Int(code), cause: String("\(error)".prefix(4000)))
        }
    }

    /// Runs a turn, and leaves how it ended in the run's folder; nil: another process has it.
    static func recorded(in run: RunDirectory?, _ turn: () async throws -> Void) async throws {
        do {
            try await turn()
        } catch {
            if let run { RunEnding(error).write(into: run) }
            throw error
        }
        if let run { RunEnding(kind: .finished, exitCode: 0, cause: "").write(into: run) }
    }

    /// A turn begins: how the one before it ended says nothing any more.
    static func clear(_ run: RunDirectory) { unlink(path(run)) }

    /// It is a help and no more: a full disk costs it.
    private func write(into run: RunDirectory) {
        let state = JSONText.quoted(kind.rawValue)
        let text = "{\"state\":\(state),\"exit_code\":\(exitCode),\"cause\":\(JSONText.quoted(cause))}\n"
        try? SmallFile.write(text, to: Self.path(run))
    }

    private static func path(_ run: RunDirectory) -> String { "\(run.path)/end.json" }
}
