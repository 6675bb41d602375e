import Files
import Glibc

/// Injected faults, from the environment: `GECKO_FAULT=point:step[:rank[:action]]`, several separated by commas.
/// Without the variable nothing happens anywhere.
///
///     GECKO_FAULT=part-half:50          # kill -9 of the process that comes first to half of its file of step 50
///     GECKO_FAULT=part-half:50:1:fail   # rank 1 finds the disk full there
///     GECKO_FAULT=products:3:*:wrong    # in gecko doctor, core 3 of every rank multiplies wrongly
package struct Fault: Sendable, Equatable {
    package enum Action: String, Sendable, CaseIterable {
        /// The process ends at once, as by `kill -9`.
        case kill
        /// The process stands still, as by `kill -STOP`.
        case stop
        /// The operation fails as on a full disk, where there is one that can fail.
        case fail
        /// At `gradients`: one of the rank's gradients is not a number.
        case nan
        /// At `gradients`: the rank's thread never comes back, as if stuck in a kernel.
        case hang
        /// At `products`: one number of the core's results is off.
        case wrong
        /// The process gets this signal here, from itself.
        case term
        case usr1
        case int
        case hup
        case xcpu
        case usr2
        case pipe

        /// Nil for actions that are no signal.
        fileprivate var signal: Int32? {
            switch self {
            case .fail, .nan, .hang, .wrong: nil
            case .kill: SIGKILL
            case .stop: SIGSTOP
            case .term: SIGTERM
            case .usr1: SIGUSR1
            case .int: SIGINT
            case .hup: SIGHUP
            case .xcpu: SIGXCPU
            case .usr2: SIGUSR2
            case .pipe: SIGPIPE
            }
        }
    }

    package let point: FaultPoint
    package let step: Int
    /// Nil: any rank.
    package let rank: Int?
    package let action: Action

    package static let variable = "GECKO_FAULT"

    /// - Throws: `FaultError` for anything that isn't a fault, naming what would be.
    package static func parse(_ text: String) throws -> [Fault] {
        try text.split(separator: ",", omittingEmptySubsequences: false).map { item in
            let fields = item.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
            func refuse(_ reason: String) -> FaultError { FaultError("\(variable)=\(item): \(reason)") }
            guard 2...4 ~= fields.count else { throw refuse("expected point:step[:rank[:action]]") }
            guard let point = FaultPoint(rawValue: fields[0]) else {
                let known = FaultPoint.allCases.map(\.rawValue).joined(separator: ", ")
                throw refuse("there is no point '\(fields[0])'; known are \(known)")
            }
            guard let step = Int(fields[1]), step >= 0 else { throw refuse("'\(fields[1])' is no step") }
            var rank: Int?
            if fields.count > 2, fields[2] != "*" {
                guard let number = Int(fields[2]), number >= 0 else {
                    throw refuse("'\(fields[2])' is neither a rank nor * for any")
                }
                rank = number
            }
            var action = Action.kill
            if fields.count > 3 {
                guard let named = Action(rawValue: fields[3]) else {
                    let known = Action.allCases.map(\.rawValue).joined(separator: ", ")
                    throw refuse("there is no action '\(fields[3])'; known are \(known)")
                }
                action = named
            }
            return Fault(point: point, step: step, rank: rank, action: action)
        }
    }

    private static let armed = Result { () throws -> [Fault] in
        guard let text = getenv(variable) else { return [] }
        return try parse(String(cString: text))
    }

    /// Refuses a variable that means nothing, before any work.
    package static func checkEnvironment() throws { _ = try armed.get() }

    /// What is to happen at a point, if anything.
    package static func action(at point: FaultPoint, step: Int, rank: Int) -> Action? {
        guard case .success(let faults) = armed, !faults.isEmpty else { return nil }
        return faults.first { $0.point == point && $0.step == step && ($0.rank ?? rank) == rank }?.action
    }

    /// Signals this thread, at once, although threads that come from Swift's pool block signals.
    private static func deliver(_ signal: Int32) {
        var only = sigset_t()
        var before = sigset_t()
        sigemptyset(&only)
        sigaddset(&only, signal)
        pthread_sigmask(SIG_UNBLOCK, &only, &before)
        raise(signal)
        pthread_sigmask(SIG_SETMASK, &before, nil)
    }

    /// Dies, stops or throws here if the environment says so.
    /// - Parameter path: what the operation that could fail works on
    package static func reach(_ point: FaultPoint, step: Int, rank: Int, path: String = "") throws {
        guard let action = action(at: point, step: step, rank: rank) else { return }
        switch action {
        case .kill, .stop: kill(getpid(), action.signal ?? SIGKILL)
        case .fail:
            throw FileError(
                path: path, operation: "pass \(point.rawValue)",
                reason: String(cString: strerror(ENOSPC)) + " (injected by \(variable))", code: ENOSPC)
        default: if let signal = action.signal { deliver(signal) }
        }
    }
}

package struct FaultError: Error, CustomStringConvertible, Sendable {
    package let description: String
    init(_ description: String) { self.description = description }
}
