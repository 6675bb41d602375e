import Foundation
import Hardware
import TestSupport
import Testing

/// `gecko doctor` compares the same products by two engines on every core.
@Suite(.serialized) struct DoctorTests {
    private func doctor(_ environment: [String: String] = [:]) async throws -> Mpirun.Outcome {
        let space = try Workspace()
        return try await Mpirun.run(
            "gecko", ["doctor", "--golden", "none", "--folder", space.path], ranks: 0, environment: environment)
    }

    @Test func soundCoresMultiplyAlike() async throws {
        let outcome = try await doctor()
        let cores = try Topology().usableCores.count
        #expect(
            outcome.output.contains(
                "products: on \(cores) of \(cores) cores tiles and OpenBLAS differ within rounding"),
            "\(outcome.output)")
        #expect(!outcome.output.contains("multiplies wrongly"), "\(outcome.output)")
    }

    @Test func theCoreWhoseProductsAreFalsifiedIsNamed() async throws {
        let cores = try Topology().usableCores
        let core = try #require(cores.last)
        let outcome = try await doctor(["GECKO_FAULT": "products:\(core):*:wrong"])
        #expect(outcome.exitCode == 1, "\(outcome.output)")
        let named = outcome.output.split(separator: "\n").filter { $0.contains("multiplies wrongly") }
        #expect(named.count == 1 && named[0].contains("core \(core) of rank 0"), "\(outcome.output)")
        #expect(
            outcome.output.contains("products: on \(cores.count - 1) of \(cores.count) cores"), "\(outcome.output)")
    }

    @Test func aFaultThatMeansNothingIsRefused() async throws {
        let outcome = try await doctor(["GECKO_FAULT": "products:0:*:wrongly"])
        #expect(outcome.exitCode != 0 && outcome.output.contains("there is no action 'wrongly'"), "\(outcome.output)")
    }
}
