// The pause program as bytes of orlop-shim.
        .section .rodata
        .global orlop_pause_begin
        .global orlop_pause_end
        .balign 16
orlop_pause_begin:
        .incbin ORLOP_PAUSE_PATH
orlop_pause_end:
        .section .note.GNU-stack,"",@progbits
