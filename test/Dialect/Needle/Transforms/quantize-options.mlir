// RUN: needle-opt %s --needle-quantize=weight-granularity=per-tensor | FileCheck %s --check-prefix=PER-TENSOR
// RUN: needle-opt %s --needle-quantize=weight-type=uint8 | FileCheck %s --check-prefix=UINT8
// RUN: needle-opt %s --needle-quantize=weight-type=none | FileCheck %s --check-prefix=NO-WEIGHT
// RUN: needle-opt %s --needle-quantize=activation-type=none | FileCheck %s --check-prefix=NO-ACTIVATION
// RUN: needle-opt %s --needle-quantize=exclude=fc1 | FileCheck %s --check-prefix=EXCLUDE
// RUN: needle-opt %s --needle-quantize=include=fc2 | FileCheck %s --check-prefix=INCLUDE
// RUN: not needle-opt %s --needle-quantize=mode=statc 2>&1 | FileCheck %s --check-prefix=BAD
// RUN: needle-opt --help | FileCheck %s --check-prefix=HELP

// PER-TENSOR:     needle.constant dense<{{\[}}[127, 64]]> : tensor<1x2xi8> -> tensor<1x2x!quant.uniform<i8<-127:127>:f32, 1.000000e+00>>
// UINT8:          needle.constant dense<-1> : tensor<1x2xi8> -> tensor<1x2x!quant.uniform<u8:f32:1, {0.49803921580314636,0.25098040699958801}>>
// NO-WEIGHT:      %[[D:.*]] = needle.dequantize
// NO-WEIGHT-NEXT: %[[W:.*]] = needle.constant dense<{{.*}}> : tensor<1x2xf32>
// NO-WEIGHT:      needle.matmul %[[D]], %[[W]] :
// NO-ACTIVATION:  %[[W:.*]] = needle.dequantize
// NO-ACTIVATION:  needle.matmul %arg0, %[[W]] :
// EXCLUDE:        needle.matmul %arg0, %{{.*}} {needle.not_quantized = "excluded by 'fc1'"}
// EXCLUDE:        needle.dequantize
// EXCLUDE:        needle.matmul %{{.*}}, %{{.*}} :
// INCLUDE:        needle.matmul %arg0, %{{.*}} {needle.not_quantized = "no include pattern matches its name"}
// INCLUDE:        needle.dequantize
// INCLUDE:        needle.matmul %{{.*}}, %{{.*}} :
// BAD:            for the --mode option: Cannot find option named 'statc'

// HELP:           --needle-quantize
// HELP:             --activation-type=<value>
// HELP:               =uint8
// HELP:               =none
// HELP:             --allow-uncalibrated
// HELP:             --exclude=<string>
// HELP:             --include=<string>
// HELP:             --mode=<value>
// HELP:               =static
// HELP:               =dynamic
// HELP:             --weight-granularity=<value>
// HELP:               =per-axis
// HELP:               =per-tensor
// HELP:             --weight-type=<value>
// HELP:               =int8
// HELP:               =uint8
// HELP:               =none
func.func @options(%x: tensor<?x1xf32>) -> tensor<?x2xf32> {
  %o = needle.observe %x {id = 0 : i64, min = 0.0 : f64, max = 255.0 : f64} : tensor<?x1xf32> -> tensor<?x1xf32>
  %w = needle.constant dense<[[127.0, 64.0]]> : tensor<1x2xf32> -> tensor<1x2xf32>
  %y = needle.matmul %o, %w : tensor<?x1xf32>, tensor<1x2xf32> -> tensor<?x2xf32> loc("fc1")
  %p = needle.observe %y {id = 1 : i64, min = 0.0 : f64, max = 255.0 : f64} : tensor<?x2xf32> -> tensor<?x2xf32>
  %v = needle.constant dense<1.0> : tensor<2x2xf32> -> tensor<2x2xf32>
  %z = needle.matmul %p, %v : tensor<?x2xf32>, tensor<2x2xf32> -> tensor<?x2xf32> loc("fc2")
  return %z : tensor<?x2xf32>
}
