// swift-tools-version: 6.2
import PackageDescription

// Arrows point from a target to what it needs; nothing below the blank line knows anything above it.
//
//   fed-node → FedNode → FedService ─┐
//   fed-coordinator → FedCoordinator ┼→ FedRuntime → FedWire → FedCore → FedCrypto, CFedKernels, COpenBLAS
//   fed → FedTool → FedReport, FedLoop┘     └─────→ FedFiles ──┘
//   FedDecision, FedLoop, FedSimulation, FedSynthetic are pure and know FedCore only (FedDecision a kernel, too).

let grpc: [Target.Dependency] = [
    .product(name: "GRPCCore", package: "grpc-swift-2"),
    .product(name: "GRPCNIOTransportHTTP2Posix", package: "grpc-swift-nio-transport"),
    .product(name: "GRPCProtobuf", package: "grpc-swift-protobuf"),
    .product(name: "SwiftProtobuf", package: "swift-protobuf"),
]
let service: [Target.Dependency] = [
    .product(name: "ArgumentParser", package: "swift-argument-parser"),
    .product(name: "Logging", package: "swift-log"),
    .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
]

let package = Package(
    name: "federated-antifraud",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "fed", targets: ["fed"]),
        .executable(name: "fed-node", targets: ["fed-node"]),
        .executable(name: "fed-coordinator", targets: ["fed-coordinator"]),
        .library(name: "FedCore", targets: ["FedCore"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-asn1", exact: "1.7.4"),
        .package(url: "https://github.com/apple/swift-certificates", exact: "1.21.1"),
        .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
        .package(url: "https://github.com/apple/swift-protobuf", exact: "1.39.0"),
        .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
        .package(url: "https://github.com/grpc/grpc-swift-2", exact: "2.4.3"),
        .package(url: "https://github.com/grpc/grpc-swift-nio-transport", exact: "2.9.2"),
        .package(url: "https://github.com/grpc/grpc-swift-protobuf", exact: "2.4.1"),
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1"),
        .package(url: "https://github.com/apple/swift-http-types", exact: "1.8.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", exact: "2.37.6"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
    ],
    targets: [
        // System libraries and kernels.
        .systemLibrary(
            name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(
            name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
        .target(name: "CFedKernels", dependencies: ["COpenSSL"]),

        // The pure core. Every target names every module that it imports: what is not named here is
        // not rebuilt when it changes.
        .target(name: "FedCrypto", dependencies: ["COpenSSL"]),
        .target(name: "FedCore", dependencies: ["FedCrypto", "CFedKernels", "COpenBLAS"]),
        .target(name: "FedSimulation", dependencies: ["FedCore", "FedCrypto"]),
        .target(name: "FedDecision", dependencies: ["FedCore", "FedCrypto", "CFedKernels"]),
        .target(name: "FedLoop", dependencies: ["FedCore"]),
        .target(name: "FedSynthetic"),

        // The edges.
        .target(
            name: "FedFiles",
            dependencies: ["FedCore", .product(name: "GRDB", package: "GRDB.swift")]),
        .target(name: "FedReport", dependencies: ["FedDecision", "FedCore", "FedFiles"]),
        .target(
            name: "FedWire",
            dependencies: ["FedCore", .product(name: "NIOCore", package: "swift-nio")] + grpc),
        .target(
            name: "FedRuntime",
            dependencies: [
                "FedWire", "FedCore", "FedCrypto", "COpenBLAS",
                .product(name: "X509", package: "swift-certificates"),
                .product(name: "SwiftASN1", package: "swift-asn1"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOTLS", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                .product(name: "Logging", package: "swift-log"),
            ] + grpc),
        .target(
            name: "FedService",
            dependencies: [
                "FedWire", "FedDecision", "FedCore", "FedCrypto", "CFedKernels",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ] + grpc),
        .target(
            name: "FedConsole",
            dependencies: [
                "FedRuntime", "FedFiles", "FedDecision", "FedCore",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        .target(
            name: "FedNode",
            dependencies: [
                "FedService", "FedReport", "FedDecision", "FedConsole", "FedRuntime", "FedWire",
                "FedFiles", "FedCore", "FedCrypto",
            ] + service),
        .target(
            name: "FedCoordinator",
            dependencies: [
                "FedReport", "FedDecision", "FedConsole", "FedRuntime", "FedWire", "FedCore",
                "FedCrypto",
            ] + service),
        .target(
            name: "FedTool",
            dependencies: [
                "FedCoordinator", "FedConsole", "FedRuntime", "FedWire", "FedReport", "FedFiles",
                "FedSimulation", "FedDecision", "FedLoop", "FedSynthetic", "FedCore", "FedCrypto",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),

        // The doors.
        .executableTarget(name: "fed", dependencies: ["FedTool", "FedConsole", "FedRuntime"]),
        .executableTarget(name: "fed-node", dependencies: ["FedNode", "FedConsole", "FedRuntime"]),
        .executableTarget(
            name: "fed-coordinator", dependencies: ["FedCoordinator", "FedConsole", "FedRuntime"]),

        // Tests mirror the sources.
        .testTarget(
            name: "FedCryptoTests", dependencies: ["FedCrypto"], resources: [.copy("Vectors")]),
        .testTarget(
            name: "FedCoreTests", dependencies: ["FedCore", "FedCrypto", "CFedKernels"],
            resources: [.copy("Vectors")]),
        .testTarget(
            name: "FedFilesTests",
            dependencies: ["FedFiles", "FedCore", .product(name: "GRDB", package: "GRDB.swift")]),
        .testTarget(
            name: "FedSyntheticTests", dependencies: ["FedSynthetic", "FedCore", "FedCrypto"]),
        .testTarget(
            name: "FedDecisionTests", dependencies: ["FedDecision", "FedCore", "FedCrypto"]),
        .testTarget(name: "FedLoopTests", dependencies: ["FedLoop", "FedCore"]),
        .testTarget(
            name: "FedReportTests", dependencies: ["FedReport", "FedDecision", "FedCore"]),
        .testTarget(
            name: "FedSimulationTests", dependencies: ["FedSimulation", "FedCore", "FedCrypto"]),
        .testTarget(
            name: "FedServiceTests",
            dependencies: [
                "FedService", "FedRuntime", "FedWire", "FedDecision", "FedCore", "FedCrypto",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ] + grpc),
        .testTarget(
            name: "FedNodeTests",
            dependencies: [
                "FedNode", "FedService", "FedRuntime", "FedWire", "FedDecision", "FedCore",
                "FedCrypto",
            ]),
        .testTarget(
            name: "FedWireTests",
            dependencies: [
                "FedWire", "FedCore", .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ]),
        .testTarget(
            name: "FedRuntimeTests",
            dependencies: [
                "FedRuntime", "FedWire", "FedCore",
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "Logging", package: "swift-log"),
            ]),
        .testTarget(
            name: "EndToEndTests",
            dependencies: [
                "FedNode", "FedCoordinator", "FedTool", "FedReport", "FedRuntime", "FedFiles",
                "FedSynthetic", "FedCore", .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "Logging", package: "swift-log"),
            ]),
    ],
    swiftLanguageModes: [.v6],
    cLanguageStandard: .c11
)

for target in package.targets where target.type != .system && target.name != "CFedKernels" {
    target.swiftSettings = [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("InternalImportsByDefault"),
    ]
}
