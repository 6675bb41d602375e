import Foundation

/// Instructions that a run of a program spends in each function, counted by valgrind's callgrind: the same in every
/// run.
package struct InstructionCounts: Sendable {
    /// By function, calls of others not included.
    package private(set) var counts: [String: Int] = [:]

    /// Reads callgrind's output file, whose format its manual describes: `fn=` names the function whose lines follow,
    /// `calls=` a line that belongs to a callee. Names are written once, then meant by number.
    package init(callgrind text: String) {
        var names: [Substring: Substring] = [:]
        var function = ""
        var skipsNext = false
        for line in text.split(separator: "\n") {
            if line.hasPrefix("fn=") || line.hasPrefix("cfn=") {
                let reference = line[line.index(after: line.firstIndex(of: "=")!)...]
                let parts = reference.split(separator: " ", maxSplits: 1)
                if parts.count == 2 { names[parts[0]] = parts[1] }
                if line.hasPrefix("fn=") { function = String(names[parts[0]] ?? parts[0]) }
            } else if line.hasPrefix("calls=") {
                skipsNext = true
            } else if let first = line.first, first.isNumber || "+-*".contains(first) {
                if !skipsNext, let cost = line.split(separator: " ").last.flatMap({ Int($0) }) {
                    counts[function, default: 0] += cost
                }
                skipsNext = false
            }
        }
    }

    /// The counts of functions to which `name` gives one, added up by that.
    package func summed(by name: (String) -> String?) -> [String: Int] {
        var sums: [String: Int] = [:]
        for (function, count) in counts {
            if let name = name(function) { sums[name, default: 0] += count }
        }
        return sums
    }
}

/// A Swift symbol as it is written in the source, or nil for another language's.
package func demangled(_ symbol: String) -> String? {
    guard symbol.hasPrefix("$s"), let text = demangle(symbol, symbol.utf8.count, nil, nil, 0) else { return nil }
    defer { free(text) }
    return String(cString: text)
}

@_silgen_name("swift_demangle")
private func demangle(
    _ name: UnsafePointer<CChar>, _ length: Int, _ output: UnsafeMutablePointer<CChar>?,
    _ outputLength: UnsafeMutablePointer<Int>?, _ flags: UInt32
) -> UnsafeMutablePointer<CChar>?
