import Foundation
import TestSupport
import Testing

/// The kernels are compiled once per CPU level, into functions of their own. A weak function could be merged by the
/// linker across levels, and then an old CPU would meet instructions that it doesn't have: the release objects must
/// define none.
@Suite struct KernelObjectTests {
    @Test(
        .enabled(
            if: Mpirun.programs.lastPathComponent == "release",
            "debug objects keep generic code that release builds specialise and inline"),
        arguments: ["KernelsV3", "KernelsV4", "KernelsV4BF16"])
    func theyDefineNoWeakFunctions(module: String) throws {
        let build = Mpirun.programs.appendingPathComponent("\(module).build")
        let objects = try FileManager.default.contentsOfDirectory(at: build, includingPropertiesForKeys: nil)
            .filter { $0.pathExtension == "o" }
        try #require(!objects.isEmpty, "no objects in \(build.path)")
        let functions = try objects.flatMap { object in
            let symbols = try runProgram("/usr/bin/env", ["readelf", "-Ws", object.path])
            try #require(symbols.passed, "readelf (binutils) must be able to read \(object.path): \(symbols.output)")
            return symbols.output.split(separator: "\n").filter { $0.contains(" FUNC ") && !$0.contains(" UND ") }
        }
        #expect(functions.contains { $0.contains(" GLOBAL ") })
        let weak = functions.filter { $0.contains(" WEAK ") }
        #expect(weak.isEmpty, "\(weak.joined(separator: "\n"))")
    }
}
