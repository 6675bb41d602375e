import ArgumentParser
import Simulation

/// Bounds of the numbers that options take: checked in one way, before any work.
enum OptionBounds {
    /// As for the keys of a configuration.
    static let most = Int(Int32.max)

    static func check(_ option: String, _ value: Int?, atLeast least: Int, atMost most: Int = most) throws {
        guard let value else { return }
        guard value >= least else { throw ValidationError("\(option): expected at least \(least), found \(value)") }
        guard value <= most else { throw ValidationError("\(option): expected at most \(most), found \(value)") }
    }

    static func check(_ option: String, milliseconds value: Double?) throws {
        guard let value else { return }
        guard value >= 0 else {
            throw ValidationError("\(option): expected at least 0 milliseconds, found \(value.asWritten)")
        }
        guard value <= Bounds.milliseconds.upperBound else {
            throw ValidationError(
                "\(option): expected at most 3.6e9 milliseconds (a thousand hours), found \(value.asWritten)")
        }
    }

    static func check(_ option: String, share value: Double?) throws {
        guard let value, !(0...1).contains(value) else { return }
        throw ValidationError("\(option): expected a share from 0 to 1, found \(value.asWritten)")
    }
}
