# The files themselves, byte for byte, with a symbol before and behind each.
    .section .rodata
    .balign 64
    .global shoal_builtin_model
    .global shoal_builtin_model_end
shoal_builtin_model:
    .incbin "upscale_x2.onnx"
shoal_builtin_model_end:
    .balign 64
    .global shoal_builtin_photo
    .global shoal_builtin_photo_end
shoal_builtin_photo:
    .incbin "photo.png"
shoal_builtin_photo_end:
    .section .note.GNU-stack, "", @progbits
